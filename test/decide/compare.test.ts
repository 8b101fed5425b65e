import { describe, expect, test } from "bun:test";
import {
  compare,
  medianOfRatios,
  type Pair,
  ratioBy,
  ratioOfTails,
  stableSpread,
} from "../../pipeline/src/decide/compare.ts";

/**
 * A fixed stream of noisy pairs: log-normal latencies, one in fifty stalled, the candidate `slower` times as slow. Queues
 * come and go on either arm on its own: for `queue` pairs in a row, at random, an arm is up to three times as slow.
 */
function pairsOf(count: number, slower: number, seed: number, queue = 0): Pair[] {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const arms = { candidate: 1, stable: 1 };
  return Array.from({ length: count }, (_, i) => {
    if (queue > 0 && i % queue === 0) {
      arms.candidate = 1 + 2 * random() * random();
      arms.stable = 1 + 2 * random() * random();
    }
    const base = 5 + (i % 7) * 3;
    const one = (arm: number) => arm * base * Math.exp(0.25 * normal()) + (random() < 0.02 ? 200 : 0);
    return { candidate: slower * one(arms.candidate), stable: one(arms.stable) };
  });
}

const seeds = Array.from({ length: 200 }, (_, i) => i + 1);
const median = (pairs: Pair[]) => ratioBy(pairs, medianOfRatios);
const tail = (pairs: Pair[]) => ratioBy(pairs, ratioOfTails);

describe("the ratio of medians", () => {
  test("holds the truth in about 95 % of runs, with queues or without", () => {
    for (const queue of [0, 30]) {
      const held = seeds.filter((seed) => {
        const { low, high } = median(pairsOf(480, 1, seed, queue));
        return low <= 1 && 1 <= high;
      });
      expect(held.length).toBeGreaterThanOrEqual(182);
    }
  });

  test("puts a candidate 15 % slower above 5 %, and never an equal one", () => {
    expect(seeds.filter((seed) => median(pairsOf(1200, 1.15, seed)).low > 1.05).length).toBeGreaterThan(180);
    expect(seeds.filter((seed) => median(pairsOf(1200, 1, seed)).low > 1.05)).toEqual([]);
    expect(seeds.filter((seed) => median(pairsOf(1200, 1, seed)).high <= 1.1).length).toBeGreaterThan(180);
  });

  test("accuses no equal candidate of 25 % while queues come and go", () => {
    const accused = seeds.filter((seed) => median(pairsOf(480, 1, seed, 30)).low > 1.25);
    expect(accused.length).toBeLessThanOrEqual(1);
  });
});

describe("the ratio of tails", () => {
  test("sees what the median does not: one call in six 60 ms slower", () => {
    const pairs = pairsOf(480, 1, 7).map((pair, i) =>
      i % 6 === 0 ? { ...pair, candidate: pair.candidate + 60 } : pair,
    );
    expect(median(pairs).low).toBeLessThan(1.1);
    expect(tail(pairs).low).toBeGreaterThan(1.5);
  });

  test("accuses an equal candidate in at most one run of twenty", () => {
    const accused = seeds.filter((seed) => tail(pairsOf(480, 1, seed)).low > 1.1);
    expect(accused.length).toBeLessThanOrEqual(10);
  });
});

test("stableSpread() is near 1 on a steady machine, and not on one where queues come and go", () => {
  expect(seeds.filter((seed) => stableSpread(pairsOf(480, 1, seed)) > 1.25).length).toBeLessThan(10);
  expect(seeds.filter((seed) => stableSpread(pairsOf(480, 1, seed, 48)) > 1.25).length).toBeGreaterThan(190);
});

test("compare() says nothing about few pairs, and NaN about answers without a time", () => {
  expect(compare(pairsOf(99, 1, 1))).toBeNull();
  expect(compare(pairsOf(100, 1, 1))?.pairs).toBe(100);
  const broken = pairsOf(100, 1, 1).map((pair) => ({ ...pair, candidate: Number.NaN }));
  expect(compare(broken)?.median.low).toBeNaN();
});
