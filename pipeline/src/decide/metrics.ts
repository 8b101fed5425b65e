import type { JudgePolicy, Slo } from "../spec/policy.ts";
import { type Answers, emptySample, type Sample } from "../spec/sample.ts";
import { evidence, type Trials } from "./evidence.ts";
import { countAbove, countOf, plus, quantileMs } from "./sample.ts";

/** What both arms saw between two looks. */
export interface Delta {
  canary: Sample;
  baseline: Sample;
}

/** How strongly one metric speaks against an arm, and the numbers in words. */
export interface Metric {
  name: string;
  against: "baseline" | "stable" | "slo";
  evidence: number;
  words: string;
}

/** Errors and slow requests of the canary against the baseline's. */
export function relativeMetrics(deltas: readonly Delta[], policy: JudgePolicy): Metric[] {
  return [errorsAgainstBaseline(deltas, policy), slownessAgainstBaseline(deltas, policy)];
}

/** Answers of the canary that differ from stable's, against the share that the release is meant to change. */
export function answersMetric(looks: readonly Answers[], { maxChangedRate }: JudgePolicy): Metric {
  const compared = looks.reduce((sum, look) => sum + look.compared, 0);
  const changed = looks.reduce((sum, look) => sum + look.changed, 0);
  return {
    name: "answers",
    against: "stable",
    evidence: evidence(looks.map((look) => trials(look.changed, look.compared, maxChangedRate))),
    words: `${changed} of ${compared} answers differ from stable's, policy allows ${percent(maxChangedRate)}`,
  };
}

/** Errors and latency of one arm against the objectives. */
export function absoluteMetrics(samples: readonly Sample[], slo: Slo): Metric[] {
  const total = samples.reduce(plus, emptySample);
  const errors: Metric = {
    name: "errors",
    against: "slo",
    evidence: evidence(samples.map((s) => trials(s.errors, s.requests, slo.maxErrorRate))),
    words: `${total.errors} errors in ${total.requests} requests, SLO allows ${percent(slo.maxErrorRate)}`,
  };
  const latencies = slo.latency.map(({ quantile, maxMs }): Metric => {
    const name = `p${quantile * 100}`;
    return {
      name,
      against: "slo",
      evidence: evidence(samples.map((s) => trials(countAbove(s.latency, maxMs), countOf(s.latency), 1 - quantile))),
      words: `${name} ${quantileMs(total.latency, quantile).toFixed(0)} ms, SLO allows ${maxMs} ms`,
    };
  });
  return [errors, ...latencies];
}

function errorsAgainstBaseline(deltas: readonly Delta[], policy: JudgePolicy): Metric {
  const total = sumOf(deltas);
  return {
    name: "errors",
    against: "baseline",
    evidence: evidence(deltas.map((delta) => share(delta, delta.canary.errors, delta.baseline.errors, policy))),
    words: `${total.canary.errors} errors in ${total.canary.requests} requests, baseline ${total.baseline.errors} in ${total.baseline.requests}`,
  };
}

/** Slow is what the baseline's own first requests rarely were; those looks only teach the limit. */
function slownessAgainstBaseline(deltas: readonly Delta[], policy: JudgePolicy): Metric {
  const { limitMs, rest } = calibrate(deltas, policy);
  const looks = rest.map((delta) =>
    share(delta, countAbove(delta.canary.latency, limitMs), countAbove(delta.baseline.latency, limitMs), policy),
  );
  const total = sumOf(rest);
  const slow = (sample: Sample) => percent(countAbove(sample.latency, limitMs) / countOf(sample.latency));
  return {
    name: "latency",
    against: "baseline",
    evidence: evidence(looks),
    words: `${slow(total.canary)} of requests took over ${limitMs.toFixed(0)} ms, baseline ${slow(total.baseline)}`,
  };
}

function calibrate(deltas: readonly Delta[], policy: JudgePolicy): { limitMs: number; rest: readonly Delta[] } {
  let learnt = emptySample;
  for (const [i, delta] of deltas.entries()) {
    learnt = plus(learnt, delta.baseline);
    if (countOf(learnt.latency) >= policy.calibrationRequests) {
      return { limitMs: quantileMs(learnt.latency, policy.latencyQuantile), rest: deltas.slice(i + 1) };
    }
  }
  return { limitMs: Number.POSITIVE_INFINITY, rest: [] };
}

/**
 * Each event fell on one of the two arms. At equal rates its odds of falling on the canary are those of a request;
 * "the canary's rate is at most `ratio` times the baseline's" is odds of at most `ratio` times that.
 */
function share({ canary, baseline }: Delta, hits: number, misses: number, { ratio }: JudgePolicy): Trials {
  if (canary.requests === 0 || baseline.requests === 0) return { hits: 0, misses: 0, odds: ratio };
  return { hits, misses, odds: (ratio * canary.requests) / baseline.requests };
}

function trials(hits: number, of: number, rate: number): Trials {
  return { hits, misses: Math.max(0, of - hits), odds: rate / (1 - rate) };
}

/** Everything that both arms saw. */
export function sumOf(deltas: readonly Delta[]): Delta {
  return {
    canary: deltas.reduce((sum, delta) => plus(sum, delta.canary), emptySample),
    baseline: deltas.reduce((sum, delta) => plus(sum, delta.baseline), emptySample),
  };
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(3))} %`;
}
