import type { JudgePolicy } from "../spec/policy.ts";
import type { Latency } from "../spec/sample.ts";
import { evidence } from "./evidence.ts";
import { type Delta, type Metric, percent } from "./metric.ts";
import { countOf } from "./sample.ts";
import { share } from "./trials.ts";

/** How many of the slowest requests of one look were the canary's, and how many the baseline's. */
interface Slowest {
  canary: number;
  baseline: number;
}

/**
 * Among the slowest requests of both arms in one look, a canary that is like the baseline has its share. What makes a
 * whole look slow, a neighbour or the hour of the day, makes both arms slow and says nothing; nothing needs to be known
 * about latencies beforehand. The baseline is slowed by `slowdown` first, so that less than that does not count.
 *
 * This is the quantile test of Mood (1950), "Introduction to the theory of statistics", look by look. Its count is
 * hypergeometric, which `evidence` takes for binomial: Hoeffding (1963), "Probability inequalities for sums of bounded
 * random variables", section 6, shows that this errs on the safe side.
 */
export function slownessAgainstBaseline(deltas: readonly Delta[], quantile: number, policy: JudgePolicy): Metric {
  const slowest = deltas.map((delta) => slowestOf(delta, quantile, policy));
  const looks = deltas.map((delta, i) => share(delta, slowest[i]?.canary ?? 0, slowest[i]?.baseline ?? 0, policy));
  return {
    name: `p${quantile * 100}`,
    against: "baseline",
    evidence: evidence(looks, policy.evidencePerLook),
    get words() {
      const total = (of: (one: Slowest) => number) => slowest.reduce((sum, one) => sum + of(one), 0);
      const all = total((one) => one.canary + one.baseline);
      return `${total((one) => one.canary)} of the ${all} slowest requests (${percent(1 - quantile)} of both arms') were the canary's`;
    },
  };
}

/**
 * The slowest `1 - quantile` of both arms' requests. Walks down from the slowest bucket as long as whole buckets fit:
 * requests of one bucket cannot be told apart.
 */
export function slowestOf({ canary, baseline }: Delta, quantile: number, { slowdown }: JudgePolicy): Slowest {
  const slowed = (micros: number) => Math.max(micros * slowdown.ratio, micros + slowdown.ms * 1000);
  const wanted = Math.max(1, Math.round((1 - quantile) * (countOf(canary.latency) + countOf(baseline.latency))));
  const found = { canary: 0, baseline: 0 };
  let i = canary.latency.length - 1;
  let j = baseline.latency.length - 1;
  while (i >= 0 || j >= 0) {
    const mine = edgeAt(canary.latency, i);
    const theirs = slowed(edgeAt(baseline.latency, j));
    const more = mine >= theirs ? countAt(canary.latency, i) : 0;
    const others = theirs >= mine ? countAt(baseline.latency, j) : 0;
    if (found.canary + found.baseline + more + others > wanted) break;
    found.canary += more;
    found.baseline += others;
    if (mine >= theirs) i -= 1;
    if (theirs >= mine) j -= 1;
  }
  return found;
}

/** Minus infinity past the fastest. */
function edgeAt(latency: Latency, place: number): number {
  return latency[place]?.[0] ?? Number.NEGATIVE_INFINITY;
}

function countAt(latency: Latency, place: number): number {
  return latency[place]?.[1] ?? 0;
}
