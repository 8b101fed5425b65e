import type { JudgePolicy, Slo, Step } from "../spec/policy.ts";
import type { Answers, Sample } from "../spec/sample.ts";
import type { Verdict } from "../spec/verdict.ts";
import {
  absoluteMetrics,
  answersMetric,
  type Delta,
  type Limits,
  type Metric,
  relativeMetrics,
  sumOf,
} from "./metrics.ts";
import { countOf, quantileMs } from "./sample.ts";

/** What was new at one look in a step: what both arms saw since the look before, and the answers that were compared. */
export interface Look extends Delta {
  step: number;
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
 * Judges the canary at one look. `looks` are all since its first weight, oldest first; `elapsedSeconds` counts from
 * the current step's weight. Every metric is the same sequential test (see `evidence`), so that a verdict may be taken
 * at every look: errors and slow requests against the baseline, both against the SLO.
 */
export function judge(
  looks: readonly Look[],
  step: Step,
  elapsedSeconds: number,
  { judge: policy, slo }: { judge: JudgePolicy; slo: Slo },
): Judgement {
  const current = looks.at(-1)?.step;
  const window = looks.filter((look) => look.step === current);
  const metrics = [
    ...relativeMetrics(looks, policy),
    answersMetric(looks, policy),
    ...absoluteMetrics(looks, "canary", { policy, slo }),
  ];
  const threshold = metrics.length / policy.falseAlarm;
  // Written so that NaN is a breach.
  const broken = metrics.filter((metric) => !(metric.evidence < threshold));
  return {
    verdict: broken.length > 0 ? blame(broken, looks, { policy, slo }) : wait(window, step, elapsedSeconds),
    get figure() {
      const { canary, baseline } = sumOf(window);
      return `canary ${describe(canary)}; baseline ${describe(baseline)}`;
    },
    metrics,
    threshold,
  };
}

/** A breach that the baseline shares is the place's fault, not the canary's: taking the canary back would not help. */
function blame(broken: readonly Metric[], looks: readonly Look[], limits: Limits): Verdict {
  const baseline = absoluteMetrics(looks, "baseline", limits);
  const shared = baseline.filter((metric) => !(metric.evidence < sharedThreshold));
  const excused = broken.every((metric) => metric.against === "slo" && shared.some(({ name }) => name === metric.name));
  if (!excused) return { kind: "fail", breaches: broken.map((metric) => metric.words) };
  const words = shared.map((metric) => metric.words).join("; ");
  return { kind: "inconclusive", reason: `Cannot judge canary: baseline is outside the SLO as well: ${words}` };
}

/** At weight 100 nothing is left for a baseline: only the canary's own requests count. */
function wait(window: readonly Look[], step: Step, elapsedSeconds: number): Verdict | undefined {
  if (!(elapsedSeconds >= step.seconds)) return undefined;
  const [canary, baseline] = [requestsOf(window, "canary"), requestsOf(window, "baseline")];
  const fewest = step.weight === 100 ? canary : Math.min(canary, baseline);
  if (fewest >= step.minRequests) return { kind: "pass" };
  if (!(elapsedSeconds >= step.maxSeconds)) return undefined;
  const arm = canary === fewest ? "canary" : "baseline";
  return {
    kind: "inconclusive",
    reason: `Cannot judge canary: ${arm} had ${fewest} requests in ${Math.round(elapsedSeconds)} s, policy needs ${step.minRequests} (${step.minRequests - fewest} more)`,
  };
}

function requestsOf(window: readonly Look[], arm: keyof Delta): number {
  return window.reduce((sum, look) => sum + look[arm].requests, 0);
}

function describe(sample: Sample): string {
  const p = (quantile: number) => quantileMs(sample.latency, quantile).toFixed(0);
  const latency = countOf(sample.latency) === 0 ? "no latency" : `p50 ${p(0.5)} ms, p99 ${p(0.99)} ms`;
  return `${sample.requests} requests, ${sample.errors} errors, ${latency}`;
}
