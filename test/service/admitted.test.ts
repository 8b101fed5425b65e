import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import { writeRecord } from "../../pipeline/src/release/record.ts";
import { stageRelease } from "../../pipeline/src/release/stage.ts";
import type { Release } from "../../pipeline/src/spec/release.ts";
import { policiesOf } from "../release/policies-of.ts";
import { root, tabularDir } from "../support/service-app.ts";
import { runtimes, spawnProcess, startProcess } from "../support/service-process.ts";

setDefaultTimeout(60_000);

const other = digestBytes("something else");
const parts = { modelDir: tabularDir, serviceDir: join(root, "service"), modules: join(root, "node_modules") };
const [bun] = runtimes;
if (bun === undefined) throw new Error("no runtime");
const runtime = bun;
let releases = "";
let release: Release;

beforeAll(async () => {
  await mkdir(join(root, ".sluice"), { recursive: true });
  releases = await mkdtemp(join(root, ".sluice", "test-admitted-"));
  release = await stageRelease(releases, { ...parts, policies: await policiesOf(root) });
});
afterAll(() => rm(releases, { recursive: true, force: true }));

async function record(changes: Partial<Release>): Promise<void> {
  const admittedAt = "2026-01-01T00:00:00Z";
  const changed = { ...release, ...changes };
  await writeRecord(releases, {
    schema: "sluice/release/v1",
    release: changed,
    environment: "local",
    admittedAt,
    reports: [],
  });
}

function options() {
  const place = join(releases, release.id);
  const env = { SLUICE_RECORD: join(place, "record.json") };
  return { program: join(place, "bundle/main.js"), dirs: [join(place, "model")], env };
}

async function refusal(): Promise<{ exit: number; output: string }> {
  const { process } = await spawnProcess(runtime, options());
  const exit = await process.exited;
  await process[Symbol.asyncDispose]();
  return { exit, output: process.output() };
}

test("the service serves the release that its record admitted, and says which", async () => {
  await record({});
  await using service = await startProcess(runtime, options());
  const headers = { authorization: `Bearer ${service.key}` };
  const answer = await fetch(`${service.url}/v1/release`, { headers });
  expect([answer.status, answer.headers.get("x-sluice-release")]).toEqual([200, release.id]);
});

test("the service refuses a record of another model, naming both digests", async () => {
  await record({ model: { ...release.model, digest: other } });
  const { exit, output } = await refusal();
  expect(exit).toBe(3);
  expect(output).toContain(`digest of its model tabular@1.0.0 is ${release.model.digest}, record says ${other}`);
});

test("the service refuses a bundle that is not the admitted one", async () => {
  await record({});
  const path = join(releases, release.id, "bundle/worker.js");
  const text = await readFile(path, "utf8");
  await chmod(path, 0o644);
  await writeFile(path, `${text}\n// changed`);
  const { exit, output } = await refusal();
  await writeFile(path, text);
  expect([exit, output]).toEqual([3, expect.stringContaining("bundle/worker.js: size is")]);
});
