import { expect, test } from "bun:test";
import { evidence } from "../../pipeline/src/decide/evidence.ts";
import { randomFrom } from "../support/random.ts";

/*
 * The reference values are SciPy's: the mean over the multipliers of the ratio of two binomial likelihoods,
 *   python3 -c "
 *   import numpy as np; from scipy.stats import binom
 *   m = 1.1 * 1.2 ** np.arange(24)
 *   def e(k, n, odds): q = m*odds/(1+m*odds); return np.mean(np.exp(binom.logpmf(k, n, q) - binom.logpmf(k, n, odds/(1+odds))))
 *   for a in [(0, 10, 1.5), (10, 10, 1.5), (30, 40, 1.5), (3, 400, .001/.999), (9, 400, .001/.999), (24, 40, 1.5)]: print(a, repr(e(*a)))"
 */
test.each([
  [0, 10, 1.5, 0.03326279036376941],
  [10, 10, 1.5, 76.97245569138903],
  [30, 40, 1.5, 1.519901249151318],
  [3, 400, 0.001 / 0.999, 10.70080302697861],
  [9, 400, 0.001 / 0.999, 58220327.17058215],
  [24, 40, 1.5, 0.09369652148690165],
])("evidence() of %i hits in %i trials at odds %d is SciPy's", (hits, of, odds, expected) => {
  const ratio = evidence([{ hits, misses: of - hits, odds }]) / expected;
  expect(ratio).toBeCloseTo(1, 6);
});

test("evidence() of no trial is 1, and does not depend on how trials are cut into looks", () => {
  expect(evidence([])).toBeCloseTo(1, 12);
  expect(evidence([{ hits: 0, misses: 0, odds: 1.5 }])).toBeCloseTo(1, 12);
  const whole = evidence([{ hits: 12, misses: 7, odds: 1.5 }]);
  const cut = evidence([
    { hits: 5, misses: 7, odds: 1.5 },
    { hits: 7, misses: 0, odds: 1.5 },
  ]);
  expect(cut).toBeCloseTo(whole, 9);
});

test("evidence() grows with hits and shrinks with misses", () => {
  const at = (hits: number, misses: number) => evidence([{ hits, misses, odds: 1.5 }]);
  expect(at(20, 5)).toBeGreaterThan(at(19, 5));
  expect(at(20, 6)).toBeLessThan(at(20, 5));
});

test("evidence() reaches 1/alpha in fewer than alpha of runs at the null's own odds, looked at after every trial", () => {
  const random = randomFrom(7);
  const alpha = 0.05;
  const runs = 1_000;
  let alarms = 0;
  for (let run = 0; run < runs; run++) {
    let hits = 0;
    for (let trial = 1; trial <= 150; trial++) {
      if (random() < 0.6) hits += 1;
      if (evidence([{ hits, misses: trial - hits, odds: 1.5 }]) >= 1 / alpha) {
        alarms += 1;
        break;
      }
    }
  }
  expect(alarms / runs).toBeLessThan(alpha);
  expect(alarms).toBeGreaterThan(0);
});

test("evidence() grows by no more than `perLook` in a look, and shrinks as ever", () => {
  const stall = { hits: 12, misses: 20, odds: 0.01 };
  const calm = { hits: 0, misses: 50, odds: 0.01 };
  expect(evidence([stall])).toBeGreaterThan(1e6);
  const once = evidence([stall], 8);
  expect(once).toBeLessThanOrEqual(8);
  expect(once).toBeGreaterThan(4);
  expect(evidence([stall, stall], 8)).toBeLessThanOrEqual(64);
  expect(evidence([stall, calm], 8)).toBeLessThan(once);
  expect(evidence([calm], 8)).toBe(evidence([calm]));
});
