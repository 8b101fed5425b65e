import type { JudgePolicy, Slo } from "../spec/policy.ts";
import type { Answers, Sample } from "../spec/sample.ts";
import { evidence, type Trials } from "./evidence.ts";
import { countAbove, countOf, quantileMs, sum } from "./sample.ts";

/** What both arms saw between two looks. */
export interface Delta {
  canary: Sample;
  baseline: Sample;
}

/** What the canary is held against. */
export interface Limits {
  policy: JudgePolicy;
  slo: Slo;
}

/** How strongly one metric speaks against an arm, and the numbers in words (made only when they are read). */
export interface Metric {
  name: string;
  against: "baseline" | "stable" | "slo";
  evidence: number;
  readonly words: string;
}

/** Errors and slow requests of the canary against the baseline's. */
export function relativeMetrics(deltas: readonly Delta[], policy: JudgePolicy): Metric[] {
  const slow = policy.latencyQuantiles.map((quantile) => slownessAgainstBaseline(deltas, quantile, policy));
  return [errorsAgainstBaseline(deltas, policy), ...slow];
}

/** Answers of the canary that differ from stable's, against the share that the release is meant to change. */
export function answersMetric(looks: readonly { answers: Answers }[], { maxChangedRate }: JudgePolicy): Metric {
  return {
    name: "answers",
    against: "stable",
    evidence: evidence(looks.map(({ answers }) => trials(answers.changed, answers.compared, maxChangedRate))),
    get words() {
      const compared = looks.reduce((sum, { answers }) => sum + answers.compared, 0);
      const changed = looks.reduce((sum, { answers }) => sum + answers.changed, 0);
      return `${changed} of ${compared} answers differ from stable's, policy allows ${percent(maxChangedRate)}`;
    },
  };
}

/** Errors and latency of one arm against the objectives. */
export function absoluteMetrics(deltas: readonly Delta[], arm: keyof Delta, { policy, slo }: Limits): Metric[] {
  const samples = deltas.map((delta) => delta[arm]);
  const total = () => sum(samples);
  const judged = (looks: Trials[]) => evidence(looks.map((look) => capped(look, look.hits, policy)));
  const errors: Metric = {
    name: "errors",
    against: "slo",
    evidence: judged(samples.map((s) => trials(s.errors, s.requests, slo.maxErrorRate))),
    get words() {
      const { errors, requests } = total();
      return `${errors} errors in ${requests} requests, SLO allows ${percent(slo.maxErrorRate)}`;
    },
  };
  const latencies = slo.latency.map(({ quantile, maxMs }): Metric => {
    const name = `p${quantile * 100}`;
    return {
      name,
      against: "slo",
      evidence: judged(samples.map((s) => trials(countAbove(s.latency, maxMs), countOf(s.latency), 1 - quantile))),
      get words() {
        return `${name} ${quantileMs(total().latency, quantile).toFixed(0)} ms, SLO allows ${maxMs} ms`;
      },
    };
  });
  return [errors, ...latencies];
}

function errorsAgainstBaseline(deltas: readonly Delta[], policy: JudgePolicy): Metric {
  return {
    name: "errors",
    against: "baseline",
    evidence: evidence(deltas.map((delta) => share(delta, delta.canary.errors, delta.baseline.errors, policy))),
    get words() {
      const { canary, baseline } = sumOf(deltas);
      return `${canary.errors} errors in ${canary.requests} requests, baseline ${baseline.errors} in ${baseline.requests}`;
    },
  };
}

/** Slow is what the baseline rarely was in the looks before. */
function slownessAgainstBaseline(deltas: readonly Delta[], quantile: number, policy: JudgePolicy): Metric {
  const limited = withLimits(deltas, quantile, policy);
  const slow =
    (arm: keyof Delta) =>
    ({ delta, limitMs }: Limited) =>
      countAbove(delta[arm].latency, limitMs);
  const looks = limited.map((look) => share(look.delta, slow("canary")(look), slow("baseline")(look), policy));
  return {
    name: `p${quantile * 100}`,
    against: "baseline",
    evidence: evidence(looks),
    get words() {
      const rate = (arm: keyof Delta) =>
        percent(add(limited.map(slow(arm))) / add(limited.map(({ delta }) => countOf(delta[arm].latency))));
      const limitMs = limited.at(-1)?.limitMs ?? Number.NaN;
      return `${rate("canary")} of requests took over ${limitMs.toFixed(0)} ms, baseline ${rate("baseline")}`;
    },
  };
}

/** What was new at one look, and above which latency a request of it counts as slow. */
interface Limited {
  delta: Delta;
  limitMs: number;
}

/**
 * The limit of a look comes from the looks before it alone, which keeps the test valid. It is learnt anew whenever the
 * baseline's requests have doubled, so that a bad second at the start does not blind the rest.
 */
function withLimits(deltas: readonly Delta[], quantile: number, { calibrationRequests }: JudgePolicy): Limited[] {
  const limited: Limited[] = [];
  let limitMs: number | undefined;
  let seen = 0;
  let due = calibrationRequests;
  for (const [i, delta] of deltas.entries()) {
    if (limitMs !== undefined) limited.push({ delta, limitMs });
    seen += countOf(delta.baseline.latency);
    if (seen < due) continue;
    limitMs = quantileMs(sum(deltas.slice(0, i + 1).map(({ baseline }) => baseline)).latency, quantile);
    due = 2 * seen;
  }
  return limited;
}

function add(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/**
 * Each event fell on one of the two arms. At equal rates its odds of falling on the canary are those of a request;
 * "the canary's rate is at most `ratio` times the baseline's" is odds of at most `ratio` times that.
 */
function share({ canary, baseline }: Delta, hits: number, misses: number, policy: JudgePolicy): Trials {
  const { ratio } = policy;
  if (canary.requests === 0 || baseline.requests === 0) return { hits: 0, misses: 0, odds: ratio };
  return capped({ hits, misses, odds: (ratio * canary.requests) / baseline.requests }, hits + misses, policy);
}

/**
 * Requests that wait in one queue are slow together: events of one look are not as many independent ones. A look counts
 * as if it had `eventsPerLook` at most, so that one bad second of one process is no proof.
 */
function capped(look: Trials, events: number, { eventsPerLook }: JudgePolicy): Trials {
  const factor = Math.min(1, eventsPerLook / Math.max(1, events));
  return { ...look, hits: look.hits * factor, misses: look.misses * factor };
}

function trials(hits: number, of: number, rate: number): Trials {
  return { hits, misses: Math.max(0, of - hits), odds: rate / (1 - rate) };
}

/** Everything that both arms saw. */
export function sumOf(deltas: readonly Delta[]): Delta {
  return {
    canary: sum(deltas.map((delta) => delta.canary)),
    baseline: sum(deltas.map((delta) => delta.baseline)),
  };
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(3))} %`;
}
