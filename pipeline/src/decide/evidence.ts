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
  const merged = mergeByOdds(looks);
  const total = multipliers.reduce((sum, multiplier) => sum + Math.exp(logLikelihoodRatio(merged, multiplier)), 0);
  return total / multipliers.length;
}

function logLikelihoodRatio(looks: readonly Trials[], multiplier: number): number {
  let hitsInAll = 0;
  let sum = 0;
  for (const { hits, misses, odds } of looks) {
    hitsInAll += hits;
    sum -= (hits + misses) * Math.log((1 + multiplier * odds) / (1 + odds));
  }
  return sum + hitsInAll * Math.log(multiplier);
}

/** Looks at the same odds are one long look. */
function mergeByOdds(looks: readonly Trials[]): readonly Trials[] {
  const merged = new Map<number, Trials>();
  for (const look of looks) {
    const known = merged.get(look.odds);
    if (known === undefined) {
      merged.set(look.odds, { ...look });
      continue;
    }
    known.hits += look.hits;
    known.misses += look.misses;
  }
  return [...merged.values()];
}
