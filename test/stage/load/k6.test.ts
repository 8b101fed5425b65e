import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Slo } from "../../../pipeline/src/spec/policy.ts";
import { k6Args, k6Plan, loadWithK6 } from "../../../pipeline/src/stage/load/k6.ts";
import { aProfile, aRequest } from "../../support/load.ts";
import { serve, type TinyServer } from "../../support/server.ts";

const slo: Slo = {
  maxErrorRate: 0.05,
  latency: [
    { quantile: 0.5, maxMs: 5000 },
    { quantile: 0.9, maxMs: 8000 },
  ],
};
const profile = aProfile({ ratePerSecond: 30, warmupSeconds: 2, maxInFlight: 16, maxLagMs: 20 });
const requests = ["1", "2"].map((n) => aRequest({ path: "/v1/models/digits/predict", body: `{"n":${n}}` }));

let folder: string;
let standIn: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-k6-test-"));
  standIn = join(folder, "k6");
  await writeFile(
    standIn,
    `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dir, "../../support/k6.ts")}" "$@"\n`,
  );
  await chmod(standIn, 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

const started: TinyServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  delete process.env.K6_DROPPED;
  delete process.env.K6_CRASH;
});

function run(handler: Parameters<typeof serve>[0], limits: Slo = slo) {
  const server = serve(handler);
  started.push(server);
  return loadWithK6(
    { url: server.url, key: "sluice_test_secret", subject: "digits@1.0.0", requests, profile, slo: limits },
    standIn,
  );
}

describe("loadWithK6()", () => {
  test("passes a good service, and sends every request with the key", async () => {
    const seen = new Map<string, number>();
    const report = await run(async (request) => {
      const line = `${request.headers.get("authorization")} ${await request.text()}`;
      seen.set(line, (seen.get(line) ?? 0) + 1);
      return Response.json({ ok: true });
    });
    expect(report.verdict).toEqual({ kind: "pass" });
    expect(report.facts).toMatchObject({ driver: "k6", requests: 30, errors: 0, dropped: 0, lagP99Ms: null });
    expect(Object.fromEntries(seen)).toEqual({
      'Bearer sluice_test_secret {"n":1}': 15,
      'Bearer sluice_test_secret {"n":2}': 15,
    });
  });

  test("fails a service that answers errors, by the exit code 99 and by our own count", async () => {
    const report = await run((_, index) => (index % 5 === 0 ? new Response("", { status: 500 }) : Response.json({})));
    expect(report.verdict).toMatchObject({ kind: "fail" });
    const words = JSON.stringify(report.verdict);
    expect(words).toContain("http_req_failed{scenario:measured} rate<=0.05");
    expect(words).toContain("6 of 30 requests failed");
  });

  test("fails a service that answers 200 with nothing: k6 alone would pass it", async () => {
    const report = await run(() => new Response(null, { status: 200 }));
    expect(JSON.stringify(report.verdict)).toContain("checks{scenario:measured} rate>=0.95");
  });

  test("fails a service slower than its objective", async () => {
    const report = await run(() => Response.json({}), { ...slo, latency: [{ quantile: 0.5, maxMs: 0.001 }] });
    expect(JSON.stringify(report.verdict)).toContain("p(50)<=0.001");
  });

  test("fails when arrivals were dropped", async () => {
    process.env.K6_DROPPED = "2";
    const report = await run(() => Response.json({}));
    expect(JSON.stringify(report.verdict)).toContain("dropped_iterations{scenario:measured} count==0");
    expect(JSON.stringify(report.verdict)).toContain("2 of 32 arrivals dropped");
  });

  test("fails on too few requests for a quantile", async () => {
    const report = await run(() => Response.json({}), { ...slo, latency: [{ quantile: 0.99, maxMs: 5000 }] });
    expect(JSON.stringify(report.verdict)).toContain("http_reqs{scenario:measured} count>=299");
  });

  test.each([1, 105, 107, 108])("is an error when k6 exits %d without a summary", async (code) => {
    process.env.K6_CRASH = String(code);
    const report = await run(() => Response.json({}));
    expect(report.verdict).toMatchObject({
      kind: "error",
      reason: expect.stringContaining(`k6 exited ${code} without a summary`),
    });
  });

  test("is an error when there is no k6", async () => {
    const input = { url: "http://127.0.0.1:1", key: "k", subject: "digits@1.0.0", requests, profile, slo };
    const report = await loadWithK6(input, "k6-that-does-not-exist");
    expect(report.verdict).toMatchObject({ kind: "error", reason: expect.stringContaining("is not on the PATH") });
  });
});

test("k6Plan() renders thresholds and scenarios from the policies", () => {
  const { options } = k6Plan({ url: "http://127.0.0.1:1", key: "k", subject: "s", requests, profile, slo });
  expect(options.scenarios.measured).toEqual({
    executor: "constant-arrival-rate",
    rate: 30,
    timeUnit: "1s",
    duration: "1s",
    startTime: "2s",
    preAllocatedVUs: 16,
    maxVUs: 16,
  });
  expect(options.thresholds).toEqual({
    "http_reqs{scenario:measured}": ["count>=29"],
    "http_req_failed{scenario:measured}": ["rate<=0.05"],
    "checks{scenario:measured}": ["rate>=0.95"],
    "dropped_iterations{scenario:measured}": ["count==0"],
    "http_req_duration{scenario:measured,expected_response:true}": ["p(50)<=5000", "p(90)<=8000"],
  });
});

test("k6Args() names files and never the key", () => {
  const args = k6Args({ plan: "/t/plan.json", key: "/t/key", summary: "/t/summary.json" });
  expect(args.slice(0, 4)).toEqual(["run", "--quiet", "--no-color", "--no-usage-report"]);
  expect(args).toContain("SLUICE_KEY_FILE=/t/key");
  expect(args.at(-1)).toEndWith("test/load/k6.ts");
});

test("the script imports nothing but k6's own modules and types, so k6 takes it as it is", async () => {
  const script = k6Args({ plan: "", key: "", summary: "" }).at(-1) ?? "";
  const scanned = new Bun.Transpiler({ loader: "ts" }).scanImports(await readFile(script, "utf8"));
  expect(scanned.map((one) => one.path).sort()).toEqual(["k6", "k6/execution", "k6/http"]);
});
