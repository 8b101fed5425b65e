/** One look at a stream of yes/no trials: under the null the odds of a hit are at most `odds`. */
export interface Trials {
  hits: number;
  misses: number;
  odds: number;
}

/** How much larger than the null's odds the true odds may be: a log-spaced grid, mixed with equal weights. */
const multipliers = Array.from({ length: 24 }, (_, i) => 1.1 * 1.2 ** i);

/**
 * Evidence against "the odds of a hit never exceed `odds`": a mixture likelihood ratio over larger odds.
 *
 * Under the null its expectation never exceeds 1 whenever one stops, so (Ville's inequality) the chance that it ever
 * reaches `1 / alpha` is at most `alpha`: looking as often as one likes costs nothing. 1 means no evidence.
 * The likelihood ratio for binomial odds is monotone, so a true rate below the null only makes alarms rarer.
 * See Robbins (1970), "Statistical methods related to the law of the iterated logarithm"; Ramdas et al. (2023),
 * "Game-theoretic statistics and safe anytime-valid inference", section 2.
 */
export function evidence(looks: readonly Trials[]): number {
  const total = multipliers.reduce((sum, m) => sum + Math.exp(logLikelihoodRatio(looks, m)), 0);
  return total / multipliers.length;
}

function logLikelihoodRatio(looks: readonly Trials[], multiplier: number): number {
  let sum = 0;
  for (const { hits, misses, odds } of looks) {
    if (hits + misses === 0) continue;
    sum += hits * Math.log(multiplier) + (hits + misses) * (Math.log1p(odds) - Math.log1p(multiplier * odds));
  }
  return sum;
}
