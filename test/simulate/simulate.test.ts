import { expect, test } from "bun:test";
import { countOf, quantileMs, sum } from "../../pipeline/src/decide/sample.ts";
import { modelled } from "../../pipeline/src/simulate/latencies.ts";
import { interval, simulateMany } from "../../pipeline/src/simulate/many.ts";
import { randomFrom } from "../../pipeline/src/simulate/random.ts";
import { answer } from "../../pipeline/src/simulate/traffic.ts";
import { aSlo, aStep, aStrategy } from "../support/policies.ts";

const latencies = modelled(5);
const site = { ratePerSecond: 100, swing: 0.3, errorRate: 0.0005, noiseRate: 0, latencies };
const setting = { strategy: aStrategy(), slo: aSlo, site, runs: 40, seed: 1 };

test("simulateMany() promotes canaries that are like their baseline", () => {
  expect(simulateMany("none", setting)).toMatchObject({ runs: 40, promoted: 40, aborted: 0, paused: 0, rate: 0 });
});

test("simulateMany() sees bad canaries taken back, and says after how many requests", () => {
  const tally = simulateMany("errors-5-percent", setting);
  expect(tally.aborted).toBe(40);
  expect(tally.medianRequests).toBeGreaterThan(10);
  expect(tally.medianRequests).toBeLessThan(300);
});

test("simulateMany() sees a rollout without traffic paused, never promoted", () => {
  const tally = simulateMany("none", { ...setting, runs: 5, site: { ...site, ratePerSecond: 0.01 } });
  expect(tally).toMatchObject({ promoted: 0, aborted: 0, paused: 5, medianRequests: null });
});

test("simulateMany() gives the same figures for the same seed, and others for another", () => {
  const slow = { ...setting, runs: 10 };
  expect(simulateMany("errors-5-percent", slow)).toEqual(simulateMany("errors-5-percent", slow));
  const other = simulateMany("errors-5-percent", { ...slow, seed: 2 });
  expect(other.medianRequests).not.toBe(simulateMany("errors-5-percent", slow).medianRequests);
});

test("interval() is Clopper and Pearson's", () => {
  // scipy.stats.binomtest(k, n).proportion_ci(0.95, method="exact")
  expect(interval(0, 2000).high).toBeCloseTo(0.00184274, 7);
  expect(interval(3, 40).low).toBeCloseTo(0.01574218, 7);
  expect(interval(3, 40).high).toBeCloseTo(0.20386475, 7);
  expect(interval(40, 40)).toMatchObject({ high: 1 });
});

test("answer() draws a heavy tail: the 99.9th percentile is far from the median", () => {
  const random = randomFrom(3);
  const arm = { fault: {}, stream: latencies.weather(random)() };
  const draws = Array.from({ length: 60 }, () => answer(arm, { requests: 500, over: 1, seconds: 0, site }, random));
  const { latency } = sum(draws);
  expect(countOf(latency)).toBeGreaterThan(28_000);
  expect(quantileMs(latency, 0.5)).toBeCloseTo(5, 0);
  expect(quantileMs(latency, 0.999) / quantileMs(latency, 0.5)).toBeGreaterThan(5);
});

test("answer() makes neighbouring seconds slow together", () => {
  const random = randomFrom(4);
  const arm = { fault: {}, stream: latencies.weather(random)() };
  const medians = Array.from({ length: 400 }, () =>
    quantileMs(answer(arm, { requests: 400, over: 1, seconds: 0, site }, random).latency, 0.5),
  ).filter((ms) => ms < 20);
  expect(correlation(medians.slice(1), medians.slice(0, -1))).toBeGreaterThan(0.4);
});

function correlation(xs: number[], ys: number[]): number {
  const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const products = xs.map((x, i) => (x - mx) * ((ys[i] ?? my) - my));
  const deviation = (values: number[], m: number) => Math.sqrt(mean(values.map((value) => (value - m) ** 2)));
  return mean(products) / deviation(xs, mx) / deviation(ys, my);
}

test.each([["half-lost"], ["silent"]] as const)(
  "simulateMany() neither promotes nor blames a canary whose requests are lost: %s",
  (fault) => {
    const steps = [{ ...aStep(20), seconds: 60, maxSeconds: 120 }];
    const tally = simulateMany(fault, { ...setting, strategy: aStrategy({ steps }), runs: 10 });
    expect(tally).toMatchObject({ promoted: 0, aborted: 0, paused: 10 });
  },
);

test("simulateMany() tells changed answers from a model that never answers the same", () => {
  const judge = { ...aStrategy().judge, answersPerLook: 40, maxChangedRate: 0.002 };
  const asking = { ...setting, strategy: aStrategy({ judge }), runs: 20 };
  expect(simulateMany("none", { ...asking, site: { ...site, noiseRate: 0.2 } }).aborted).toBe(0);
  expect(simulateMany("flips-10-percent", asking).aborted).toBe(20);
});

test("simulateMany() says how long the longest promotion took", () => {
  expect(simulateMany("none", { ...setting, runs: 5 }).promotedSeconds).toBeGreaterThanOrEqual(10);
});
