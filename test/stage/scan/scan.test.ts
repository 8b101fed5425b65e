import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readYaml } from "../../../pipeline/src/spec/read.ts";
import { ScanFacts, ScanPolicy } from "../../../pipeline/src/spec/scan.ts";
import { explain } from "../../../pipeline/src/spec/verdict.ts";
import { databaseArgv } from "../../../pipeline/src/stage/scan/argv.ts";
import { writeSbom } from "../../../pipeline/src/stage/scan/sbom.ts";
import { scan } from "../../../pipeline/src/stage/scan/scan.ts";
import { runTool } from "../../../pipeline/src/stage/tool.ts";
import { noRegistry } from "../../support/registry.ts";
import { findTrivy, makeDatabase } from "./database.ts";
import { aMirror } from "./mirror.ts";

const policy = await readYaml(join(import.meta.dirname, "../../../policies/scan.yaml"), ScanPolicy);
const trivy = await findTrivy();
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function aFolder(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-scan-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

function aLock(name: string, version: string, license: string): Record<string, string> {
  const packages = {
    "": { name: "app", version: "1.0.0", dependencies: { [name]: version } },
    [`node_modules/${name}`]: { version, license },
  };
  return { "package-lock.json": JSON.stringify({ name: "app", version: "1.0.0", lockfileVersion: 3, packages }) };
}

/** A program that stands where Trivy should, and does what `body` says; `$OUT` is the report's path. */
async function aBrokenTrivy(body: string): Promise<string> {
  const find = 'while [ $# -gt 0 ]; do [ "$1" = --output ] && OUT="$2"; shift; done';
  const path = join(await aFolder({ trivy: `#!/bin/sh\n${find}\n${body}\n` }), "trivy");
  await chmod(path, 0o755);
  return path;
}

describe("scan() without a working Trivy is an error:", () => {
  const metadata = JSON.stringify({ Version: 2, UpdatedAt: new Date().toISOString() });
  const report = (results: string) => `{"SchemaVersion":2,"ArtifactType":"filesystem","Results":${results}}`;
  const write = (text: string) => `printf '%s' '${text}' > "$OUT"`;
  const packages = '[{"Target":"x","Packages":[{"Name":"a","Licenses":["MIT"]}]}]';
  test.each([
    ["a crash", "echo boom >&2; exit 1", "trivy exited 1: boom"],
    ["an end by a signal", "kill -9 $$", "trivy was killed"],
    ["no report", "exit 0", "no such file"],
    ["an empty report", ': > "$OUT"', "report"],
    ["a report cut short", write('{"SchemaVersion":2,'), "report"],
    ["a report of another kind", write('{"SchemaVersion":3,"ArtifactType":"x"}'), "SchemaVersion"],
    ["a report of nothing", write(report("[]")), "looked at nothing"],
    [
      "findings that the exit code denies",
      `${write(report('[{"Target":"x","Secrets":[{"RuleID":"r","Title":"t","Severity":"LOW","StartLine":1}]}]'))}`,
      "contradicts",
    ],
    ["an exit code that the report denies", `${write(report(packages))}; exit 10`, "contradicts"],
  ] as const)("%s", async (_, body, words) => {
    const cache = await aFolder({});
    await cp(await aFolder({ "metadata.json": metadata }), join(cache, "db"), { recursive: true });
    const { verdict } = await scan({
      target: { kind: "source", path: cache },
      policy,
      trivy: await aBrokenTrivy(body),
      cache,
    });
    expect(verdict.kind).toBe("error");
    expect(explain(verdict).toLowerCase()).toContain(words.toLowerCase());
  });

  test("one that is not there", async () => {
    const { verdict } = await scan({ target: { kind: "source", path: "." }, policy, trivy: "/nowhere/trivy" });
    expect(explain(verdict)).toContain("trivy is not on the PATH");
  });

  test("one that does not end, which is killed with its children", async () => {
    const quick = { ...policy, timeoutSeconds: 1 };
    const hung = await aBrokenTrivy("sleep 300");
    const { verdict } = await scan({ target: { kind: "source", path: "." }, policy: quick, trivy: hung, graceMs: 0 });
    expect(explain(verdict)).toContain("not done in 1 s");
  });
});

// Trivy takes 8 minutes to build, and Go makes its database: skipped on a laptop without one of them, never in CI.
const cannotScan = trivy === undefined || Bun.which("go") === null;
describe.skipIf(cannotScan && process.env.CI !== "true")("scan() with the real Trivy", () => {
  let cache = "";
  beforeAll(async () => {
    cache = await makeDatabase(new Date().toISOString());
    folders.push(cache);
  }, 300_000);

  async function scanFolder(files: Record<string, string>, where = cache, waivers: ScanPolicy["waivers"] = []) {
    const path = await aFolder(files);
    const waived = { ...policy, waivers };
    return scan({ target: { kind: "source", path }, policy: waived, cache: where, trivy: trivy ?? "trivy" });
  }

  const waiver = {
    ...{ id: "CVE-2026-0001", package: "left-pad" },
    ...{ reason: "it pads nothing that a user gives", owner: "core", expires: "2999-12-31" },
  };

  test("passes sound packages, and knows how many there were", async () => {
    const { verdict, figure, facts } = await scanFolder(aLock("left-pad", "1.3.1", "MIT"));
    expect(verdict).toEqual({ kind: "pass" });
    expect(figure).toBe("0 blocking, 0 waived, in 1 packages");
    expect(facts.scannerVersion).toBe("0.74.0");
  }, 60_000);

  test.each([
    [
      "a vulnerable package",
      aLock("left-pad", "1.3.0", "MIT"),
      "upgrade left-pad 1.3.0 to 1.3.1: CVE-2026-0001 (high)",
    ],
    ["a licence off the list", aLock("left-pad", "1.3.1", "GPL-3.0-only"), "left-pad has licence GPL-3.0-only"],
    [
      "a secret",
      { ...aLock("left-pad", "1.3.1", "MIT"), ".env": `KEY=AKIA${"Z7QWERTYUIOPASDF"}\n` },
      "the secret in .env",
    ],
    ["a root image", { ...aLock("left-pad", "1.3.1", "MIT"), Dockerfile: "FROM debian:12\nRUN true\n" }, "DS-0002"],
  ] as const)(
    "fails on %s",
    async (_, files, words) => {
      const { verdict, facts } = await scanFolder(files);
      expect(verdict.kind).toBe("fail");
      expect(explain(verdict)).toContain(words);
      expect(JSON.stringify(facts)).not.toContain("Z7QWERTY");
    },
    60_000,
  );

  test("lets a waived finding pass, and reports a waiver that nothing needs", async () => {
    const vulnerable = await scanFolder(aLock("left-pad", "1.3.0", "MIT"), cache, [waiver]);
    expect(vulnerable.verdict).toEqual({ kind: "pass" });
    expect(vulnerable.figure).toContain("0 blocking, 1 waived");
    const sound = await scanFolder(aLock("left-pad", "1.3.1", "MIT"), cache, [waiver]);
    expect(sound.checks.map(({ name }) => name)).toContain("waiver CVE-2026-0001 left-pad is unused: remove it");
  }, 60_000);

  test("fails on a waiver that has ended", async () => {
    const ended = { ...waiver, expires: "2020-01-31" };
    const { verdict } = await scanFolder(aLock("left-pad", "1.3.0", "MIT"), cache, [ended]);
    expect(verdict.kind).toBe("fail");
    expect(explain(verdict)).toContain("ended on 2020-01-31; next: ask core");
  }, 60_000);

  test("lists components as CycloneDX", async () => {
    const path = await aFolder(aLock("left-pad", "1.3.1", "MIT"));
    const output = join(path, "bom.json");
    const components = await writeSbom({ kind: "source", path }, policy, { output, trivy: trivy ?? "trivy" });
    const bom = JSON.parse(await readFile(output, "utf8"));
    expect(bom.bomFormat).toBe("CycloneDX");
    expect(bom.components).toHaveLength(components);
    expect(JSON.stringify(bom.components)).toContain("pkg:npm/left-pad@1.3.1");
  }, 60_000);

  test.skipIf(noRegistry && process.env.CI !== "true")(
    "works with a database that was fetched from a mirror",
    async () => {
      await using mirror = await aMirror(cache);
      const fetched = await aFolder({});
      const argv = databaseArgv(fetched, { mirror: mirror.repository, plainHttp: true });
      const { exitCode, stderr } = await runTool(trivy ?? "trivy", argv, { timeoutMs: 60_000 });
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
      const { verdict } = await scanFolder(aLock("left-pad", "1.3.0", "MIT"), fetched);
      expect(explain(verdict)).toContain("CVE-2026-0001");
    },
    120_000,
  );

  test("does not listen to the ignore files of what it scans", async () => {
    const ignore = { ".trivyignore": "CVE-2026-0001\n", "trivy.yaml": "severity: [CRITICAL]\n" };
    const { verdict } = await scanFolder({ ...aLock("left-pad", "1.3.0", "MIT"), ...ignore });
    expect(verdict.kind).toBe("fail");
  }, 60_000);

  test("is an error without a database, whatever Trivy says", async () => {
    const { verdict, facts } = await scanFolder(aLock("left-pad", "1.3.1", "MIT"), await aFolder({}));
    expect(explain(verdict)).toContain("no vulnerability database");
    expect(ScanFacts.shape.run.parse(facts.run).exitCode).toBe(1);
  }, 60_000);

  test("is an error on a stale database", async () => {
    const stale = await aFolder({});
    await cp(cache, stale, { recursive: true });
    await writeFile(join(stale, "db/metadata.json"), '{"Version":2,"UpdatedAt":"2020-01-01T00:00:00Z"}');
    const { verdict } = await scanFolder(aLock("left-pad", "1.3.1", "MIT"), stale);
    expect(verdict.kind).toBe("error");
    expect(explain(verdict)).toContain("policy wants at most 72 h");
  }, 60_000);

  test("passes Sluice's own sources and dependencies", async () => {
    const path = join(import.meta.dirname, "../../..");
    const { verdict } = await scan({ target: { kind: "source", path }, policy, cache, trivy: trivy ?? "trivy" });
    expect(verdict).toEqual({ kind: "pass" });
  }, 120_000);
});
