import { afterEach, expect, test } from "bun:test";
import type { CapacityProfile } from "../../../pipeline/src/spec/policy.ts";
import { Report } from "../../../pipeline/src/spec/report.ts";
import { findCapacity } from "../../../pipeline/src/stage/load/capacity.ts";
import { aRequest } from "../../support/load.ts";
import { serve, type TinyServer } from "../../support/server.ts";

const started: TinyServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

const profile: CapacityProfile = {
  fromPerSecond: 20,
  toPerSecond: 500,
  growth: 3,
  resolution: 0.4,
  warmupSeconds: 0,
  seconds: 0.5,
  maxInFlight: 512,
  timeoutMs: 10_000,
  maxLagMs: 10_000,
  processes: 1,
};

test("findCapacity() finds the rate above which a service refuses", async () => {
  // Refuses what comes above 100 a second, on average over a run.
  let since = 0;
  let count = 0;
  const server = serve(() => {
    if (performance.now() - since > 400) [since, count] = [performance.now(), 0];
    return ++count > 40 ? new Response("", { status: 503 }) : Response.json({});
  });
  started.push(server);
  const seen: Report[] = [];
  const report = await findCapacity({
    url: server.url,
    key: "k",
    subject: "digits@1.0.0",
    requests: [aRequest()],
    slo: { maxErrorRate: 0.001, latency: [{ quantile: 0.5, maxMs: 10_000 }] },
    profile,
    onRun: (run) => seen.push(run),
  });
  expect(Report.parse(report).verdict).toEqual({ kind: "pass" });
  expect(report.facts.best).toBeGreaterThanOrEqual(20);
  expect(report.facts.best).toBeLessThan(180);
  expect(report.figure).toBe(`${Number(report.facts.best)}/s within the objectives`);
  expect(report.checks.length).toBe(seen.length);
  expect(report.checks.some((check) => check.verdict.kind === "fail")).toBe(true);
}, 60_000);
