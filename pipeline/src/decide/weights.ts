import type { Arms } from "../spec/journal.ts";
import type { Weights } from "../spec/sample.ts";

/**
 * Weights of a step: the canary's share, a baseline as large (or, past one half, as large as fits), stable the rest.
 * The arms are compared by what fell on each, so unequal shares stay comparable. An arm without weight is left out.
 */
export function weightsOf(arms: Arms, weight: number): Weights {
  const baseline = Math.min(weight, 100 - weight);
  const shares = [
    [arms.stable, 100 - weight - baseline],
    [arms.baseline, baseline],
    [arms.canary, weight],
  ] as const;
  return Object.fromEntries(shares.filter(([, share]) => share > 0));
}
