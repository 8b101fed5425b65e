import { binomialTail } from "../decide/binomial.ts";

/**
 * The fewest trials with which the best test of a fixed size tells a rate of `bad` from one of `good` (both 0..1): wrong
 * about a good one with a chance of at most `alpha`, about a bad one of at most `1 - power`. By Neyman and Pearson's lemma
 * that test counts hits, and nothing that looks more often can do with fewer: what a rollout cannot collect in its
 * time, no judge can see in it.
 */
export function fewestTrials(good: number, bad: number, { alpha, power }: { alpha: number; power: number }): number {
  const suffices = (trials: number) => binomialTail(critical(trials, good, alpha), trials, bad) >= power;
  let high = 1;
  while (!suffices(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (suffices(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The fewest hits that speak against `good`. */
function critical(trials: number, good: number, alpha: number): number {
  let low = 0;
  let high = trials + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (binomialTail(middle, trials, good) <= alpha) high = middle;
    else low = middle;
  }
  return high;
}
