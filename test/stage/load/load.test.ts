import { afterEach, describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { LoadProfile, Slo } from "../../../pipeline/src/spec/policy.ts";
import { Report } from "../../../pipeline/src/spec/report.ts";
import { readConsumers } from "../../../pipeline/src/stage/contract/recorded.ts";
import { load } from "../../../pipeline/src/stage/load/load.ts";
import { recordedRequests } from "../../../pipeline/src/stage/load/request.ts";
import { starveDriver } from "../../fixtures/gates/starve.ts";
import { root } from "../../support/cli.ts";
import { aProfile, aRequest } from "../../support/load.ts";
import { serve, type TinyServer } from "../../support/server.ts";

const started: TinyServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

// Wide limits: this machine's speed is not what these tests are about.
const slo: Slo = { maxErrorRate: 0.001, latency: [{ quantile: 0.9, maxMs: 5000 }] };
const profile = aProfile();
const requests = [aRequest()];

function run(handler: Parameters<typeof serve>[0], change: { slo?: Slo; profile?: Partial<LoadProfile> } = {}) {
  const server = serve(handler);
  started.push(server);
  const input = { url: server.url, key: "k", subject: "digits@1.0.0", requests };
  return load({ ...input, slo: change.slo ?? slo, profile: { ...profile, ...change.profile } });
}

test("load() passes a service within its objectives, with the facts", async () => {
  const report = await run((request) => Response.json({ path: new URL(request.url).pathname }));
  expect(Report.parse(report).verdict).toEqual({ kind: "pass" });
  expect(report.facts).toMatchObject({ planned: 200, requests: 200, errors: 0, dropped: 0, ratePerSecond: 200 });
  expect(report.figure).toContain("of 5000 ms at 200/s, 0 of 200 failed");
  expect(report.checks.map((check) => check.verdict.kind)).toEqual(["pass", "pass", "pass", "pass"]);
});

test("load() fails a service that answers one request in 200 with an error", async () => {
  const answer = (_: Request, index: number) =>
    index % 200 === 199 ? new Response("", { status: 500 }) : Response.json({});
  const report = await run(answer, { profile: { ratePerSecond: 500, seconds: 2, warmupSeconds: 0 } });
  expect(report.verdict).toMatchObject({
    kind: "fail",
    breaches: [expect.stringContaining("5 of 1000 requests failed (5 status 500)")],
  });
});

test("load() fails a service slower than its objective", async () => {
  const slow = { maxErrorRate: 0.001, latency: [{ quantile: 0.9, maxMs: 50 }] };
  const answer = () => new Promise<Response>((resolve) => setTimeout(() => resolve(Response.json({})), 60));
  const report = await run(answer, { slo: slow });
  expect(report.verdict).toMatchObject({ kind: "fail", breaches: [expect.stringContaining("objective is 50 ms")] });
});

test("load() fails when arrivals were dropped", async () => {
  const report = await run(() => new Promise<Response>(() => {}), { profile: { maxInFlight: 2, timeoutMs: 1500 } });
  expect(report.verdict).toMatchObject({ kind: "fail" });
  expect(JSON.stringify(report.verdict)).toContain("arrivals dropped");
});

test("load() is inconclusive on too few samples for a quantile", async () => {
  const strict = { maxErrorRate: 0.001, latency: [{ quantile: 0.999, maxMs: 5000 }] };
  const report = await run(() => Response.json({}), { slo: strict });
  expect(report.verdict).toEqual({ kind: "inconclusive", reason: "Cannot judge p99.9: 200 samples, it takes 2995" });
});

test("load() is an error when the driver could not keep its schedule", async () => {
  const report = await run(() => Response.json({}), { profile: { maxLagMs: 0.0001 } });
  expect(report.verdict).toMatchObject({
    kind: "error",
    reason: expect.stringContaining("the driver was the bottleneck"),
  });
});

describe("load() beside stable", () => {
  const answerIn = (ms: number) => () =>
    new Promise<Response>((resolve) => setTimeout(() => resolve(Response.json({})), ms));

  async function beside(candidateMs: number, stableMs: number, maxSlowdown: number): Promise<Report> {
    const [candidate, stable] = [serve(answerIn(candidateMs)), serve(answerIn(stableMs))];
    started.push(candidate, stable);
    const input = { url: candidate.url, key: "k", subject: "digits@1.0.0", requests, profile };
    return await load({ ...input, stable: { url: stable.url, key: "k" }, slo: { ...slo, maxSlowdown } });
  }

  test("gives both the same load, and passes an equal candidate", async () => {
    const report = await beside(30, 30, 1.5);
    expect(report.verdict).toEqual({ kind: "pass" });
    expect(report.facts).toMatchObject({
      planned: 200,
      stable: { requests: 200, errors: 0 },
      comparison: { pairs: 200 },
    });
  });

  test("fails a candidate that is 15 % slower, though within every limit", async () => {
    const report = await beside(230, 200, 1.1);
    expect(report.verdict.kind).toBe("fail");
    expect(JSON.stringify(report.verdict)).toMatch(/p50 is 1\.1\dx stable's .* objective is 1\.10x/);
  });
});

test("load() drives on while it can say too little, up to the profile's longest time", async () => {
  const strict = { maxErrorRate: 0.001, latency: [{ quantile: 0.99, maxMs: 5000 }] };
  const longer = { seconds: 1, maxSeconds: 3 };
  const enough = await run(() => Response.json({}), { slo: strict, profile: longer });
  expect(enough.verdict).toEqual({ kind: "pass" });
  expect(enough.facts).toMatchObject({ seconds: 2, planned: 400, requests: 400, ratePerSecond: 200 });

  const never = { maxErrorRate: 0.001, latency: [{ quantile: 0.999, maxMs: 5000 }] };
  const tooFew = await run(() => Response.json({}), { slo: never, profile: longer });
  expect(tooFew.verdict.kind).toBe("inconclusive");
  expect(tooFew.facts).toMatchObject({ seconds: 3, requests: 600 });

  const failed = await run(() => new Response("", { status: 500 }), { profile: longer });
  expect(failed.facts).toMatchObject({ seconds: 1, requests: 200 });
}, 60_000);

test("load() begins anew, with another process, when its driver was late", async () => {
  const server = serve(() => Response.json({}));
  started.push(server);
  const input = { url: server.url, key: "k", subject: "digits@1.0.0", requests, slo };
  const starved = { ratePerSecond: 100, seconds: 4, maxSeconds: 40, warmupSeconds: 0, maxLagMs: 500 };
  const report = await starveDriver(() => load({ ...input, profile: { ...profile, ...starved } }));
  expect(report.verdict).toEqual({ kind: "pass" });
  expect(report.facts).toMatchObject({
    seconds: 4,
    requests: 400,
    processes: Math.min(2, availableParallelism()),
  });
}, 60_000);

test("load() ramps from one rate to another", async () => {
  const report = await run(() => Response.json({}), { profile: { fromPerSecond: 0, ratePerSecond: 200, seconds: 2 } });
  expect(report.verdict).toEqual({ kind: "pass" });
  expect(report.facts).toMatchObject({ planned: 200, requests: 200 });
});

test("recordedRequests() are what consumers asked the model and got an answer to", async () => {
  const recorded = await readConsumers(join(root, "policies"), "magika");
  const found = recordedRequests("magika", recorded.examples);
  expect(found.length).toBeGreaterThan(0);
  expect(new Set(found.map(({ path }) => path))).toEqual(new Set(["/v1/models/magika/predict"]));
  for (const { body } of found) expect(JSON.parse(String(body))).toHaveProperty("content");
  expect(recordedRequests("other", recorded.examples)).toEqual([]);
});

test("load() watches the memory of a process that it is told of", async () => {
  const server = serve(() => Response.json({}));
  started.push(server);
  const input = { url: server.url, key: "k", subject: "digits@1.0.0", requests, slo, pid: process.pid };
  const report = await load({ ...input, profile: { ...profile, seconds: 2, maxGrowthMiBPerHour: 10 } });
  expect(report.facts.memory).toEqual(
    expect.arrayContaining([{ atSeconds: expect.any(Number), mib: expect.any(Number) }]),
  );
  expect(report.verdict).toMatchObject({
    kind: "inconclusive",
    reason: expect.stringContaining("Cannot judge memory"),
  });
});
