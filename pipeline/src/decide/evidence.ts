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
 *
 * No look multiplies it by more than `perLook`. A smaller factor only makes alarms rarer, so the bound stays.
 */
export function evidence(looks: readonly Trials[], perLook = Number.POSITIVE_INFINITY): number {
  const most = Math.log(perLook);
  const total = multipliers.reduce((sum, multiplier) => {
    const logs = looks.map((look) => Math.min(most, logLikelihoodRatio(look, multiplier)));
    return sum + Math.exp(logs.reduce((all, log) => all + log, 0));
  }, 0);
  return total / multipliers.length;
}

function logLikelihoodRatio({ hits, misses, odds }: Trials, multiplier: number): number {
  return hits * Math.log(multiplier) - (hits + misses) * Math.log((1 + multiplier * odds) / (1 + odds));
}
