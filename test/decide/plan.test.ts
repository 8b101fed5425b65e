import { expect, test } from "bun:test";
import { plan } from "../../pipeline/src/decide/plan.ts";
import { aSlo, aStep, aStrategy } from "../support/policies.ts";

const steps = [10, 50].map((weight) => ({ ...aStep(weight), seconds: 10, maxSeconds: 60, minRequests: 20 }));
const strategy = aStrategy({ steps });
const site = { slo: aSlo, ratePerSecond: 100, budgetDays: 30 };

test("plan() gives each step its window when enough requests come in it", () => {
  const { steps: planned, seconds } = plan(strategy, site);
  expect(planned).toEqual([
    { weight: 10, approval: false, seconds: 10, starves: false, requests: 100 },
    { weight: 50, approval: false, seconds: 10, starves: false, requests: 500 },
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
  expect(brokenRequests).toBe(10);
  expect(brokenSeconds).toBe(1);
  // 10 errors of the 259,200 that 30 days at 100 per second allow.
  expect(budgetShare).toBeCloseTo(10 / 259_200, 12);
});
