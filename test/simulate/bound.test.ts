import { expect, test } from "bun:test";
import { binomialTail } from "../../pipeline/src/decide/binomial.ts";
import { fewestTrials } from "../../pipeline/src/simulate/bound.ts";

const sure = { alpha: 0.01 / 6, power: 0.95 };

test.each([
  [0.001, 0.01],
  [0.5, 0.6],
  [0.002, 0.02],
])("fewestTrials() of %d against %d has the power that was asked for, and one fewer has not", (good, bad) => {
  const powerAt = (trials: number) => {
    let hits = 0;
    while (binomialTail(hits, trials, good) > sure.alpha) hits += 1;
    return binomialTail(hits, trials, bad);
  };
  const trials = fewestTrials(good, bad, sure);
  expect(powerAt(trials)).toBeGreaterThanOrEqual(0.95);
  expect(powerAt(trials - 1)).toBeLessThan(0.95);
});

test("fewestTrials() needs more for a smaller difference, and for more certainty", () => {
  const at = (bad: number, alpha: number) => fewestTrials(0.1, bad, { alpha, power: 0.95 });
  expect(at(0.2, 0.01)).toBeGreaterThan(at(0.3, 0.01));
  expect(at(0.2, 0.001)).toBeGreaterThan(at(0.2, 0.01));
});
