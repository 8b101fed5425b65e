import type { JudgePolicy } from "../spec/policy.ts";
import { evidence, type Trials } from "./evidence.ts";
import { type Delta, type Limits, type Metric, percent } from "./metric.ts";
import { countAbove, countOf, quantileMs, sum } from "./sample.ts";
import { slownessAgainstBaseline } from "./slowness.ts";
import { share, trials } from "./trials.ts";

/** Errors and slow requests of the canary against the baseline's. */
export function relativeMetrics(deltas: readonly Delta[], policy: JudgePolicy): Metric[] {
  const slow = policy.latencyQuantiles.map((quantile) => slownessAgainstBaseline(deltas, quantile, policy));
  return [errorsAgainstBaseline(deltas, policy), ...slow];
}

/** Errors and latency of one arm against the objectives. */
export function absoluteMetrics(deltas: readonly Delta[], arm: keyof Delta, { policy, slo }: Limits): Metric[] {
  const samples = deltas.map((delta) => delta[arm]);
  const total = () => sum(samples);
  const judged = (looks: Trials[]) => evidence(looks, policy.evidencePerLook);
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
    evidence: evidence(
      deltas.map((delta) => share(delta, delta.canary.errors, delta.baseline.errors, policy)),
      policy.evidencePerLook,
    ),
    get words() {
      const { canary, baseline } = sumOf(deltas);
      return `${canary.errors} errors in ${canary.requests} requests, baseline ${baseline.errors} in ${baseline.requests}`;
    },
  };
}

/** Everything that both arms saw. */
export function sumOf(deltas: readonly Delta[]): Delta {
  return {
    canary: sum(deltas.map((delta) => delta.canary)),
    baseline: sum(deltas.map((delta) => delta.baseline)),
  };
}
