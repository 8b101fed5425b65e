import { describe, expect, test } from "bun:test";
import { binomialTail } from "../../pipeline/src/decide/binomial.ts";
import { medianRatio, type Pair, quantileRatio } from "../../pipeline/src/decide/compare.ts";

test.each([
  // Exact sums, in 60 decimal digits.
  [0, 10, 0.5, 1],
  [5, 10, 0.5, 0.623046875],
  [10, 10, 0.5, 0.0009765625],
  [6, 480, 0.01, 0.348815958454632],
  [11, 480, 0.01, 0.010035945815504],
  [130, 10_000, 0.01, 0.002175091348919],
  [5200, 10_000, 0.5, 3.296757799e-5],
  [11, 10, 0.5, 0],
  [1, 100_000, 0.5, 1],
])("binomialTail(%d, %d, %d) is the exact sum", (hits, trials, p, wanted) => {
  const found = binomialTail(hits, trials, p);
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(wanted * 1e-6);
});

/** A fixed stream of noisy pairs: log-normal latencies, one in fifty stalled, the candidate `slower` times as slow. */
function pairsOf(count: number, slower: number, seed: number): Pair[] {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, (_, i) => {
    const base = 5 + (i % 7) * 3;
    const one = () => base * Math.exp(0.25 * normal()) + (random() < 0.02 ? 200 : 0);
    return { candidate: slower * one(), stable: one() };
  });
}

const seeds = Array.from({ length: 200 }, (_, i) => i + 1);

describe("medianRatio()", () => {
  test("holds the truth in about 95 % of runs", () => {
    const held = seeds.filter((seed) => {
      const { low, high } = medianRatio(pairsOf(240, 1, seed));
      return low <= 1 && 1 <= high;
    });
    expect(held.length).toBeGreaterThanOrEqual(182);
  });

  test("puts a candidate 25 % slower above 10 %, and never an equal one", () => {
    expect(seeds.filter((seed) => medianRatio(pairsOf(480, 1.25, seed)).low > 1.1).length).toBeGreaterThan(190);
    expect(seeds.filter((seed) => medianRatio(pairsOf(480, 1, seed)).low > 1.1)).toEqual([]);
    expect(seeds.filter((seed) => medianRatio(pairsOf(480, 1, seed)).high <= 1.1).length).toBeGreaterThan(190);
  });

  test("of few pairs has no bounds, and of none is NaN", () => {
    expect(medianRatio(pairsOf(5, 1, 1))).toMatchObject({ low: 0, high: Number.POSITIVE_INFINITY });
    expect(medianRatio([]).ratio).toBeNaN();
  });
});

describe("quantileRatio()", () => {
  test("sees a tail that the median does not: one call in three 60 ms slower", () => {
    const pairs = pairsOf(240, 1, 7).map((pair, i) =>
      i % 3 === 0 ? { ...pair, candidate: pair.candidate + 60 } : pair,
    );
    expect(medianRatio(pairs).low).toBeLessThan(1.1);
    expect(quantileRatio(pairs, 0.9).low).toBeGreaterThan(1.5);
  });

  test("accuses an equal candidate in at most one run of twenty", () => {
    const accused = seeds.slice(0, 60).filter((seed) => quantileRatio(pairsOf(240, 1, seed), 0.9).low > 1.1);
    expect(accused.length).toBeLessThanOrEqual(3);
  });

  test("gives the same answer twice", () => {
    const pairs = pairsOf(100, 1, 3);
    expect(quantileRatio(pairs, 0.9)).toEqual(quantileRatio(pairs, 0.9));
  });
});
