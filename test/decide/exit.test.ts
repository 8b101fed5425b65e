import { expect, test } from "bun:test";
import { admit } from "../../pipeline/src/decide/admit.ts";
import { exitOfError, exitOfVerdict } from "../../pipeline/src/decide/exit.ts";
import { since } from "../../pipeline/src/decide/sample.ts";
import { weightsOf } from "../../pipeline/src/decide/weights.ts";
import type { Report, StageName } from "../../pipeline/src/spec/report.ts";
import { emptySample } from "../../pipeline/src/spec/sample.ts";
import type { Verdict } from "../../pipeline/src/spec/verdict.ts";

const pass: Verdict = { kind: "pass" };
const fail: Verdict = { kind: "fail", breaches: ["it is red"] };
const unsure: Verdict = { kind: "inconclusive", reason: "too few" };
const error: Verdict = { kind: "error", reason: "no tool" };

function aReport(stage: StageName, verdict: Verdict): Report {
  const startedAt = "2026-01-01T00:00:00Z";
  return {
    schema: "sluice/report/v1",
    stage,
    subject: "x",
    startedAt,
    durationMs: 1,
    verdict,
    figure: "",
    checks: [],
    facts: {},
  };
}

test.each([
  ["every required stage passed", ["verify", "load"], [aReport("verify", pass), aReport("load", pass)], "pass"],
  ["a stage that is not required failed", ["verify"], [aReport("verify", pass), aReport("scan", fail)], "pass"],
  ["a required stage failed", ["verify", "load"], [aReport("verify", fail), aReport("load", error)], "fail"],
  [
    "a required stage could not measure",
    ["verify", "load"],
    [aReport("verify", unsure), aReport("load", error)],
    "error",
  ],
  ["a required stage cannot say", ["verify"], [aReport("verify", unsure)], "inconclusive"],
  ["a required stage was not run", ["verify", "scan"], [aReport("verify", pass)], "error"],
  ["the last report of a stage counts", ["verify"], [aReport("verify", pass), aReport("verify", fail)], "fail"],
  ["nothing is required", [], [aReport("verify", pass)], "error"],
] as const)("admit() when %s", (_, required, reports, kind) => {
  expect(admit([...required], [...reports]).kind).toBe(kind);
});

test("exit codes are those of the manual", () => {
  expect([pass, fail, unsure, error].map(exitOfVerdict)).toEqual([0, 3, 4, 5]);
  const codes = ["E_USAGE", "E_FILE", "E_DIGEST", "E_GATE", "E_TOOL", "E_STATE", "E_LEASE"] as const;
  expect(codes.map(exitOfError)).toEqual([2, 2, 3, 3, 5, 5, 7]);
});

test("weightsOf() sums to 100 at every weight, and gives no arm less than nothing", () => {
  const arms = { stable: "s", canary: "c", baseline: "b" };
  for (let weight = 1; weight <= 100; weight++) {
    const weights = weightsOf(arms, weight);
    const shares = Object.values(weights);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(100);
    expect(Math.min(...shares)).toBeGreaterThan(0);
    expect(weights.c).toBe(weight);
  }
});

test("since() subtracts counters, and takes a counter that went back for one that began anew", () => {
  const before = {
    requests: 10,
    errors: 1,
    clientErrors: 2,
    latency: [
      [1_000, 8],
      [2_000, 2],
    ] as [number, number][],
  };
  const after = {
    requests: 15,
    errors: 1,
    clientErrors: 3,
    latency: [
      [1_000, 11],
      [2_000, 4],
    ] as [number, number][],
  };
  expect(since(before, after)).toEqual({
    requests: 5,
    errors: 0,
    clientErrors: 1,
    latency: [
      [1_000, 3],
      [2_000, 2],
    ],
  });
  expect(since(after, before)).toEqual(before);
  expect(since(before, before)).toEqual({ ...emptySample });
});
