import { expect, test } from "bun:test";
import { evidence } from "../../pipeline/src/decide/evidence.ts";
import { judge } from "../../pipeline/src/decide/judge.ts";
import { thresholdOf } from "../../pipeline/src/decide/needed.ts";
import { plan } from "../../pipeline/src/decide/plan.ts";
import { aSlo, aStep, aStrategy } from "../support/policies.ts";

const steps = [10, 50].map((weight) => ({ ...aStep(weight), seconds: 10, maxSeconds: 60, minRequests: 20 }));
const strategy = aStrategy({ steps });
const site = { slo: aSlo, ratePerSecond: 100, budgetDays: 30 };

test("plan() gives each step its window when enough requests come in it", () => {
  const { steps: planned, seconds } = plan(strategy, site);
  expect(planned).toEqual([
    { weight: 10, approval: false, seconds: 10, starves: false, requests: 100, minRequests: 20 },
    { weight: 50, approval: false, seconds: 10, starves: false, requests: 500, minRequests: 20 },
  ]);
  expect(seconds).toBe(20);
});

test("plan() stretches a step until its fewest requests have come", () => {
  // 20 requests at 10 % of 10 per second.
  expect(plan(strategy, { ...site, ratePerSecond: 10 }).steps[0]).toMatchObject({ seconds: 20, starves: false });
});

test("plan() says that a step starves when its deadline comes first", () => {
  expect(plan(strategy, { ...site, ratePerSecond: 1 }).steps[0]).toMatchObject({ seconds: 60, starves: true });
});

test("plan() counts what a canary that fails every request costs", () => {
  const { brokenRequests, brokenSeconds, budgetShare } = plan(strategy, site);
  // Three looks of ten requests: none brings more than 20, and the threshold lies between 20 times 20 and 20 times 400.
  expect(brokenRequests).toBe(30);
  expect(brokenSeconds).toBe(3);
  // 30 errors of the 259,200 that 30 days at 100 per second allow.
  expect(budgetShare).toBeCloseTo(30 / 259_200, 12);
});

test("plan() keeps whether a step waits for approval", () => {
  const approved = aStrategy({ steps: [{ ...aStep(100), approval: true }] });
  expect(plan(approved, site).steps[0]).toMatchObject({ weight: 100, approval: true, requests: 500 });
});

test("plan() says after how many requests each kind of bad canary is rejected: as many as the judge itself takes", () => {
  const { needed } = plan(strategy, site);
  const rejects = (evidenceOf: number) => evidenceOf >= thresholdOf(strategy, aSlo);
  const errors = (n: number) => evidence([{ hits: n * 0.01, misses: n * 0.99, odds: 0.001 / 0.999 }]);
  expect([rejects(errors(needed.tenfoldErrors)), rejects(errors(needed.tenfoldErrors - 1))]).toEqual([true, false]);
  // Two of three of the slowest 5 % are the canary's; that quantile has fewer requests than the median, but is asked for too.
  const slow = (n: number) => evidence([{ hits: (n * (0.1 * 2)) / 3, misses: (n * 0.1) / 3, odds: 1.5 }]);
  expect([rejects(slow(needed.twiceAsManySlow)), rejects(slow(needed.twiceAsManySlow - 2))]).toEqual([true, false]);
  // 40 % changed against 4 %: what must be beaten is the noise, not the share that is meant.
  const changed = (n: number) => evidence([{ hits: n * 0.4, misses: 0, odds: 1.5 }]);
  expect([rejects(changed(needed.tenfoldChanges)), rejects(changed(needed.tenfoldChanges - 1))]).toEqual([true, false]);
});

test("plan() has no number of requests for what no evidence could ever show", () => {
  const lax = aStrategy({ judge: { ...aStrategy().judge, ratio: 100 } });
  expect(plan(lax, site).needed.twiceAsManySlow).toBe(Number.POSITIVE_INFINITY);
});

test("plan() does not take a step for starving whose requests just come in time", () => {
  // 20 requests at 10 % of 5 a second take 40 s.
  const within = (maxSeconds: number) => aStrategy({ steps: [{ ...aStep(10), maxSeconds, minRequests: 20 }] });
  expect(plan(within(40), { ...site, ratePerSecond: 5 }).steps[0]).toMatchObject({ seconds: 40, starves: false });
  expect(plan(within(39), { ...site, ratePerSecond: 5 }).steps[0]).toMatchObject({ seconds: 39, starves: true });
});

test("plan() counts the cost in whole looks, each of which says only so much", () => {
  const judge = { ...strategy.judge, evidencePerLook: 2 };
  const slow = { ...strategy, lookSeconds: 2, judge };
  const { brokenRequests, brokenSeconds, budgetShare } = plan(slow, site);
  const odds = aSlo.maxErrorRate / (1 - aSlo.maxErrorRate);
  // Every look of 20 errors doubles the evidence, whatever the odds were.
  const looks = Math.ceil(Math.log2(thresholdOf(slow, aSlo)));
  expect(evidence([{ hits: 20, misses: 0, odds }])).toBeGreaterThan(thresholdOf(slow, aSlo));
  // 10 % of 100 requests a second, two seconds a look.
  expect([brokenRequests, brokenSeconds]).toEqual([20 * looks, 2 * looks]);
  expect(budgetShare).toBeCloseTo((20 * looks) / 259_200, 12);
});

test("plan() takes a canary back after one look, where one look may say everything", () => {
  const judge = { ...strategy.judge, evidencePerLook: 1e9 };
  const { brokenRequests, brokenSeconds } = plan({ ...strategy, judge }, { ...site, ratePerSecond: 10 });
  expect([brokenRequests, brokenSeconds]).toEqual([2, 2]);
});

test("thresholdOf() is the judge's own", () => {
  const { judge: policy } = strategy;
  const others = { ...strategy, judge: { ...policy, latencyQuantiles: [0.5, 0.9, 0.99] } };
  const slo = { ...aSlo, latency: [...aSlo.latency, { quantile: 0.5, maxMs: 60 }] };
  const { threshold } = judge([], aStep(10), { judge: others.judge, slo });
  expect(thresholdOf(others, slo)).toBe(threshold);
});
