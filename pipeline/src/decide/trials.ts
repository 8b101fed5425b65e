import type { JudgePolicy } from "../spec/policy.ts";
import type { Trials } from "./evidence.ts";
import type { Delta } from "./metric.ts";

/** `hits` of `of` trials, against a rate that must not be exceeded. */
export function trials(hits: number, of: number, rate: number): Trials {
  return { hits, misses: Math.max(0, of - hits), odds: rate / (1 - rate) };
}

/**
 * Each event fell on one of two arms. At equal rates its odds of falling on the canary are those of a request;
 * "the canary's rate is at most `ratio` times the baseline's" is odds of at most `ratio` times that. Conditioning on
 * the sum of two counts makes a binomial of them: Przyborowski and Wilenski (1940), "Homogeneity of results in testing
 * samples from Poisson series".
 */
export function share({ canary, baseline }: Delta, hits: number, misses: number, { ratio }: JudgePolicy): Trials {
  if (canary.requests === 0 || baseline.requests === 0) return { hits: 0, misses: 0, odds: ratio };
  return { hits, misses, odds: (ratio * canary.requests) / baseline.requests };
}
