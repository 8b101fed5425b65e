import type { Slo, Strategy } from "../spec/policy.ts";
import { evidence } from "./evidence.ts";

/** How many of the canary's requests (or compared answers) it takes until a canary of this kind is rejected, as a rule. */
export interface Needed {
  /** It fails ten times as many as the SLO allows. */
  tenfoldErrors: number;
  /** It has twice as many of the slow requests as the baseline. */
  twiceAsManySlow: number;
  /** It changes ten times as many answers as the policy allows; the baseline none. Counts compared answers. */
  tenfoldChanges: number;
}

/** As many metrics as the judge has: errors against baseline and SLO, the answers, and one for each quantile. */
export function thresholdOf({ judge }: Strategy, slo: Slo): number {
  return (3 + judge.latencyQuantiles.length + slo.latency.length) / judge.falseAlarm;
}

/** What a verdict of each kind rests on. Where no evidence would ever do, it is Infinity. */
export function neededFor(strategy: Strategy, slo: Slo): Needed {
  const { judge } = strategy;
  const threshold = thresholdOf(strategy, slo);
  const fewest = (evidenceAfter: (requests: number) => number) => leastWhere((n) => evidenceAfter(n) >= threshold);
  const rate = (allowed: number) => {
    const actual = Math.min(1, 10 * allowed);
    return (n: number) => evidence([{ hits: n * actual, misses: n * (1 - actual), odds: allowed / (1 - allowed) }]);
  };
  const allChanges = rate(judge.maxChangedRate);
  const beyondNoise = (n: number) =>
    evidence([{ hits: n * Math.min(1, 10 * judge.maxChangedRate), misses: 0, odds: judge.ratio }]);
  const slowest = 2 * (1 - Math.max(...judge.latencyQuantiles));
  return {
    tenfoldErrors: fewest(rate(slo.maxErrorRate)),
    twiceAsManySlow: fewest((n) =>
      evidence([{ hits: (n * slowest * 2) / 3, misses: (n * slowest) / 3, odds: judge.ratio }]),
    ),
    tenfoldChanges: fewest((n) => Math.min(allChanges(n), beyondNoise(n))),
  };
}

/** The least whole number from which on a thing holds; Infinity when it does not even at 10 million. */
function leastWhere(holds: (n: number) => boolean): number {
  let high = 1;
  while (!holds(high)) {
    high *= 2;
    if (high > 1e7) return Number.POSITIVE_INFINITY;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
