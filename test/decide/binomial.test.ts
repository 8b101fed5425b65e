import { expect, test } from "bun:test";
import { binomialTail } from "../../pipeline/src/decide/binomial.ts";

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
  expect(Math.abs(binomialTail(hits, trials, p) - wanted)).toBeLessThanOrEqual(wanted * 1e-6);
});
