import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import { readRecord, writeRecord } from "../../pipeline/src/release/record.ts";
import { stageRelease } from "../../pipeline/src/release/stage.ts";
import { canonical } from "../../pipeline/src/release/statement.ts";
import type { Release } from "../../pipeline/src/spec/release.ts";
import type { Report } from "../../pipeline/src/spec/report.ts";
import { policiesOf } from "../release/policies-of.ts";
import { serve } from "../support/server.ts";
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

const aReport: Report = {
  schema: "sluice/report/v1",
  stage: "verify",
  subject: "tabular@1.0.0",
  startedAt: "2026-01-01T00:00:00Z",
  durationMs: 1,
  verdict: { kind: "pass" },
  figure: "4 files",
  checks: [],
  facts: {},
};

async function record(changes: Partial<Release>): Promise<void> {
  const admittedAt = "2026-01-01T00:00:00Z";
  const changed = { ...release, ...changes };
  await writeRecord(releases, {
    schema: "sluice/release/v1",
    release: changed,
    environment: "local",
    admittedAt,
    reports: [aReport],
  });
}

function options(more: Record<string, string> = {}) {
  const place = join(releases, release.id);
  const env = { SLUICE_RECORD: join(place, "record.json"), ...more };
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
  const { release: served, proof } = await answer.json();
  expect(served).toEqual(release);
  const report = { stage: "verify", verdict: "pass", figure: "4 files", digest: digestBytes(canonical(aReport)) };
  expect(proof).toMatchObject({ environment: "local", admittedAt: "2026-01-01T00:00:00Z", reports: [report] });
  expect(proof.record).toBe(digestBytes(canonical(await readRecord(releases, release.id))));
});

test("the release's id is in every answer, log line, metric and span", async () => {
  await record({});
  const pushed = new Map<string, string>();
  const collector = serve(async (request) => {
    pushed.set(new URL(request.url).pathname, await request.text());
    return Response.json({});
  });
  const service = await startProcess(runtime, options({ SLUICE_OTLP: collector.url, SLUICE_TRACE_RATIO: "1" }));
  const headers = { authorization: `Bearer ${service.key}` };
  for (const path of ["/livez", "/v1/models", "/no/such/path", "/v1/models/tabular/predict"]) {
    expect((await fetch(service.url + path, { headers })).headers.get("x-sluice-release")).toBe(release.id);
  }
  const series = (await (await fetch(`${service.url}/metrics`, { headers })).text())
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(series.length).toBeGreaterThan(20);
  expect(series.filter((line) => !line.includes(`sluice_release="${release.id}"`))).toEqual([]);
  service.kill("SIGTERM");
  expect(await service.exited).toBe(0);
  const lines = service.output().trim().split("\n");
  expect(lines.length).toBeGreaterThan(6);
  expect(lines.filter((line) => JSON.parse(line).release !== release.id)).toEqual([]);
  for (const path of ["/v1/traces", "/v1/metrics", "/v1/logs"]) expect(pushed.get(path)).toContain(release.id);
  await service[Symbol.asyncDispose]();
  await collector.stop();
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
