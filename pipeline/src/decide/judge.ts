import type { JudgePolicy, Slo, Step } from "../spec/policy.ts";
import type { Answers, Sample } from "../spec/sample.ts";
import type { Verdict } from "../spec/verdict.ts";
import { answersMetric } from "./answers.ts";
import { countIn, type Delta, type Limits, type Metric } from "./metric.ts";
import { absoluteMetrics, relativeMetrics, sumOf } from "./metrics.ts";
import { countOf, quantileMs } from "./sample.ts";
import { skewOf } from "./skew.ts";

/** What a look brought: what both arms saw in the `seconds` since the look before, and the answers that were compared. */
export interface Look extends Delta {
  /** Counts an operator's resumes: after each, the judge begins anew. */
  attempt: number;
  step: number;
  seconds: number;
  answers: Answers;
}

/** A step's verdict so far (`undefined`: go on looking) and what it rests on; a metric fails at `evidence >= threshold`. */
export interface Judgement {
  verdict: Verdict | undefined;
  readonly figure: string;
  metrics: Metric[];
  threshold: number;
}

/** Evidence at which an arm counts as outside the SLO when it is only asked whether it shares a breach. */
const sharedThreshold = 20;

/**
 * Judges the canary at one look. `all` are the rollout's, oldest first; those of the current attempt count. Every
 * metric is the same sequential test (see `evidence`), so that a verdict may be taken at every look: errors and slow
 * requests against the baseline, both against the SLO, answers against stable's. `falseAlarm` is shared out evenly:
 * Bonferroni, so that the metrics may depend on each other.
 */
export function judge(
  all: readonly Look[],
  step: Step,
  { judge: policy, slo }: { judge: JudgePolicy; slo: Slo },
): Judgement {
  const last = all.at(-1);
  const looks = all.filter(({ attempt }) => attempt === last?.attempt);
  const window = looks.filter((look) => look.step === last?.step);
  const metrics = [
    ...relativeMetrics(looks, policy),
    answersMetric(looks, policy),
    ...absoluteMetrics(looks, "canary", { policy, slo }),
  ];
  const threshold = metrics.length / policy.falseAlarm;
  const breached = metrics.filter(({ evidence }) => evidence >= threshold);
  const shared = sharedBreach(breached, looks, { policy, slo });
  return {
    verdict:
      unmeasured(metrics) ??
      blame(breached, shared) ??
      incomparable(window, step, { policy, threshold }) ??
      atTheEnd(window, step, shared),
    get figure() {
      const { canary, baseline } = sumOf(window);
      return `canary ${describe(canary)}; baseline ${describe(baseline)}`;
    },
    metrics,
    threshold,
  };
}

function unmeasured(metrics: readonly Metric[]): Verdict | undefined {
  const metric = metrics.find(({ evidence }) => Number.isNaN(evidence));
  if (metric === undefined) return undefined;
  const reason = `Cannot judge canary: evidence of ${metric.name} against ${metric.against} is not a number (${metric.words})`;
  return { kind: "error", reason };
}

function blame(breached: readonly Metric[], shared: string | undefined): Verdict | undefined {
  if (breached.length === 0 || shared !== undefined) return undefined;
  return { kind: "fail", breaches: breached.map((metric) => metric.words) };
}

/**
 * A breach of the SLO that the baseline shares is the place's fault, not the canary's: taking the canary back would not
 * help. Says what the baseline breaks, where that is all there is; the comparison with it has until the step's end.
 */
function sharedBreach(breached: readonly Metric[], looks: readonly Look[], limits: Limits): string | undefined {
  if (breached.length === 0) return undefined;
  const shared = absoluteMetrics(looks, "baseline", limits).filter(({ evidence }) => evidence >= sharedThreshold);
  const excused = breached.every(({ against, name }) => against === "slo" && shared.some((one) => one.name === name));
  return excused ? shared.map((metric) => metric.words).join("; ") : undefined;
}

function incomparable(
  window: readonly Look[],
  step: Step,
  limits: { policy: JudgePolicy; threshold: number },
): Verdict | undefined {
  const skew = skewOf(window, step, limits);
  return skew === undefined ? undefined : { kind: "inconclusive", reason: `Cannot judge canary: ${skew}` };
}

/** At weight 100 nothing is left for a baseline: only the canary's own requests count. */
function atTheEnd(window: readonly Look[], step: Step, shared: string | undefined): Verdict | undefined {
  const elapsed = window.reduce((sum, { seconds }) => sum + seconds, 0);
  if (!(elapsed >= step.seconds)) return undefined;
  if (shared !== undefined) {
    return { kind: "inconclusive", reason: `Cannot judge canary: baseline is outside the SLO as well: ${shared}` };
  }
  const [canary, baseline] = [countIn(window, "canary"), countIn(window, "baseline")];
  const fewest = step.weight === 100 ? canary : Math.min(canary, baseline);
  if (fewest >= step.minRequests) return { kind: "pass" };
  if (!(elapsed >= step.maxSeconds)) return undefined;
  const arm = canary === fewest ? "canary" : "baseline";
  return {
    kind: "inconclusive",
    reason: `Cannot judge canary: ${arm} had ${fewest} requests in ${Math.round(elapsed)} s, policy needs ${step.minRequests} (${step.minRequests - fewest} more)`,
  };
}

function describe(sample: Sample): string {
  const p = (quantile: number) => quantileMs(sample.latency, quantile).toFixed(0);
  const latency = countOf(sample.latency) === 0 ? "no latency" : `p50 ${p(0.5)} ms, p99 ${p(0.99)} ms`;
  return `${sample.requests} requests, ${sample.errors} errors, ${latency}`;
}
