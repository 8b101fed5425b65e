import { describe, expect, test } from "bun:test";
import { judgeScan } from "../../pipeline/src/decide/scan.ts";
import type { Finding, ScanFacts, ScanPolicy, Waiver } from "../../pipeline/src/spec/scan.ts";

const now = Date.parse("2026-11-24T12:00:00Z");

function aPolicy(change: Partial<ScanPolicy> = {}): ScanPolicy {
  return {
    schema: "sluice/scan/v1",
    timeoutSeconds: 60,
    database: { maxAgeHours: 72, update: false },
    skip: [],
    vulnerability: { block: ["high", "critical"], only: "all" },
    secret: { block: ["high"] },
    misconfiguration: { block: ["high"] },
    license: { allow: ["MIT"], unknown: "allow", system: "allow" },
    waivers: [],
    ...change,
  };
}

const aFinding: Finding = {
  scanner: "vulnerability",
  id: "CVE-2026-1",
  severity: "high",
  package: "left-pad",
  version: "1.0.0",
  fixedIn: "1.0.1",
  system: false,
  title: "pads too far",
};

function someFacts(findings: Finding[] = [], change: Partial<ScanFacts> = {}): ScanFacts {
  return {
    run: { outcome: "exited", exitCode: findings.length === 0 ? 0 : 10, log: "" },
    database: { builtAt: "2026-11-24T00:00:00Z", cache: "/cache" },
    inventory: { packages: 7, findings },
    ...change,
  };
}

const aWaiver: Waiver = {
  id: "CVE-2026-1",
  package: "left-pad",
  reason: "never called with user input",
  owner: "core",
  expires: "2026-12-31",
};

test("judgeScan() passes a whole scan without findings", () => {
  const { verdict, figure } = judgeScan(someFacts(), aPolicy(), now);
  expect(verdict).toEqual({ kind: "pass" });
  expect(figure).toBe("0 blocking, 0 waived, in 7 packages");
});

describe("judgeScan() calls it an error", () => {
  const { database: _database, ...noDatabase } = someFacts();
  const { inventory: _inventory, ...noInventory } = someFacts();
  test.each([
    ["a missing trivy", someFacts([], { run: { outcome: "missing", exitCode: -1, log: "" } }), "not on the PATH"],
    ["a time-out", someFacts([], { run: { outcome: "timed out", exitCode: -1, log: "" } }), "not done in 60 s"],
    ["a killed trivy", someFacts([], { run: { outcome: "killed", exitCode: -1, log: "oom" } }), "killed: oom"],
    ["no database", noDatabase, "no vulnerability database"],
    ["a stale database", someFacts([], { database: { builtAt: "2026-11-01T00:00:00Z", cache: "" } }), "564 h old"],
    [
      "a database from the future",
      someFacts([], { database: { builtAt: "2027-01-01T00:00:00Z", cache: "" } }),
      "future",
    ],
    ["a database without a date", someFacts([], { database: { builtAt: "never", cache: "" } }), "NaN h old"],
    ["a crash", { ...noInventory, problem: "trivy exited 1: boom" }, "trivy exited 1: boom"],
    ["no report", noInventory, "wrote no report"],
    ["an empty scan", someFacts([], { inventory: { packages: 0, findings: [] } }), "looked at nothing"],
  ] as const)("%s", (_, facts, words) => {
    const { verdict } = judgeScan(facts, aPolicy(), now);
    expect(verdict.kind).toBe("error");
    expect(verdict.kind === "error" && verdict.reason).toContain(words);
  });
});

describe("judgeScan() blocks", () => {
  const { fixedIn: _fixedIn, ...unfixable } = aFinding;
  test.each([
    ["a severity of the policy", aFinding, aPolicy(), "fail"],
    ["not a severity below it", { ...aFinding, severity: "medium" }, aPolicy(), "pass"],
    ["what has no fix, when all count", unfixable, aPolicy(), "fail"],
    [
      "not what has no fix, when only fixable count",
      unfixable,
      aPolicy({ vulnerability: { block: ["high"], only: "fixable" } }),
      "pass",
    ],
    ["a licence off the list", { ...aFinding, scanner: "license", id: "GPL-3.0-only" }, aPolicy(), "fail"],
    [
      "not a choice of licences with one on it",
      { ...aFinding, scanner: "license", id: "(GPL-3.0-only OR MIT)" },
      aPolicy(),
      "pass",
    ],
    [
      "an unnamed licence, when denied",
      { ...aFinding, scanner: "license", id: "unknown" },
      aPolicy({ license: { allow: ["MIT"], unknown: "deny", system: "allow" } }),
      "fail",
    ],
    [
      "no licence of the base image",
      { ...aFinding, scanner: "license", id: "LGPL-2.1-only", system: true },
      aPolicy(),
      "pass",
    ],
    ["a secret", { ...aFinding, scanner: "secret" }, aPolicy(), "fail"],
    ["a misconfiguration", { ...aFinding, scanner: "misconfiguration" }, aPolicy(), "fail"],
  ] as const)("%s", (_, finding, policy, kind) => {
    expect(judgeScan(someFacts([finding]), policy, now).verdict.kind).toBe(kind);
  });
});

describe("judgeScan() on waivers", () => {
  test("lets a waived finding pass until the end of its day", () => {
    const policy = aPolicy({ waivers: [{ ...aWaiver, expires: "2026-11-24" }] });
    const { verdict, figure } = judgeScan(someFacts([aFinding]), policy, now);
    expect(verdict).toEqual({ kind: "pass" });
    expect(figure).toContain("0 blocking, 1 waived");
  });
  test("fails on one that has ended, used or not", () => {
    const policy = aPolicy({ waivers: [{ ...aWaiver, expires: "2026-11-23" }] });
    for (const findings of [[], [aFinding]]) {
      const { verdict } = judgeScan(someFacts(findings), policy, now);
      expect(verdict.kind === "fail" && verdict.breaches.join()).toContain("ended on 2026-11-23; next: ask core");
    }
  });
  test("covers no other package", () => {
    const policy = aPolicy({ waivers: [{ ...aWaiver, package: "right-pad" }] });
    expect(judgeScan(someFacts([aFinding]), policy, now).verdict.kind).toBe("fail");
  });
  test("reports one that nothing needs", () => {
    const { checks } = judgeScan(someFacts(), aPolicy({ waivers: [aWaiver] }), now);
    expect(checks.map(({ name }) => name)).toContain("waiver CVE-2026-1 left-pad is unused: remove it");
  });
});

test("judgeScan() says what to do next, the worst first and once for each upgrade", () => {
  const findings: Finding[] = [
    { ...aFinding, id: "CVE-2026-2" },
    { ...aFinding, package: "openssl", id: "CVE-2026-3", severity: "critical", fixedIn: "3.0.1" },
    aFinding,
  ];
  expect(judgeScan(someFacts(findings), aPolicy(), now).next).toEqual([
    "upgrade openssl 1.0.0 to 3.0.1: CVE-2026-3 (critical)",
    "upgrade left-pad 1.0.0 to 1.0.1: CVE-2026-2 (high), CVE-2026-1 (high)",
  ]);
});
