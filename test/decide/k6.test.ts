import { expect, test } from "bun:test";
import { judgeK6, k6Options, k6Quantile } from "../../pipeline/src/decide/k6.ts";
import { worst } from "../../pipeline/src/decide/worst.ts";
import type { Slo } from "../../pipeline/src/spec/policy.ts";
import { aProfile, loadFacts } from "../support/load.ts";

const slo: Slo = { maxErrorRate: 0.001, latency: [{ quantile: 0.99, maxMs: 100 }] };
const profile = aProfile({ ratePerSecond: 2.5, warmupSeconds: 0, seconds: 200, maxInFlight: 8, maxLagMs: 20 });
const facts = loadFacts({
  driver: "k6",
  planned: 500,
  requests: 500,
  lagP99Ms: null,
  response: [{ quantile: 0.99, ms: 50 }],
});

function summary(ok: boolean[]) {
  const thresholds = ok.map((one, i) => ({ metric: `m${i}`, expression: "count>0", ok: one }));
  return { schema: "sluice/k6-summary/v1" as const, requests: 500, errors: 0, dropped: 0, quantiles: [], thresholds };
}

test.each([
  ["0 and every threshold kept", 0, [true, true], "pass", ""],
  ["99 and one threshold broken", 99, [true, false], "fail", "m1 count>0"],
  ["99 and no threshold named", 99, [true], "fail", "names none"],
  ["0 and a threshold broken all the same", 0, [false], "fail", "m0 count>0"],
  ["0 and no threshold at all", 0, [], "error", "no threshold"],
  ["1", 1, [true], "error", "k6 exited 1"],
  ["107", 107, [true], "error", "k6 exited 107"],
  ["-1", -1, [true], "error", "k6 exited -1"],
] as const)("judgeK6() on exit %s", (_, exitCode, ok, kind, words) => {
  const verdict = worst(judgeK6({ exitCode, summary: summary([...ok]), facts }, slo, profile));
  expect(verdict.kind).toBe(kind);
  expect(JSON.stringify(verdict)).toContain(words);
});

test("judgeK6() holds the numbers against our own limits too", () => {
  const slow = { ...facts, response: [{ quantile: 0.99, ms: 120 }] };
  const verdict = worst(judgeK6({ exitCode: 0, summary: summary([true]), facts: slow }, slo, profile));
  expect(verdict).toEqual({ kind: "fail", breaches: ["p99 is 120 ms, objective is 100 ms"] });
});

test("k6Options() keeps a rate that is no whole number, and has no warm-up of nothing", () => {
  const { scenarios } = k6Options(profile, slo);
  expect(Object.keys(scenarios)).toEqual(["measured"]);
  expect(scenarios.measured).toMatchObject({ rate: 2500, timeUnit: "1000s", duration: "200s" });
});

test("k6Options() ramps where the profile does, after a warm-up at the first rate", () => {
  const { scenarios } = k6Options({ ...profile, ratePerSecond: 50, fromPerSecond: 10, warmupSeconds: 5 }, slo);
  expect(scenarios.warmup).toMatchObject({ executor: "constant-arrival-rate", rate: 10, duration: "5s" });
  expect(scenarios.measured).toEqual({
    executor: "ramping-arrival-rate",
    startRate: 10,
    stages: [{ target: 50, duration: "200s" }],
    timeUnit: "1s",
    startTime: "5s",
    preAllocatedVUs: 8,
    maxVUs: 8,
  });
});

test("k6Quantile() is k6's own name", () => {
  expect([0.5, 0.99, 0.999].map(k6Quantile)).toEqual(["p(50)", "p(99)", "p(99.9)"]);
});
