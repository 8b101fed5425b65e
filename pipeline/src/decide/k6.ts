import type { K6Options, K6Summary } from "../spec/k6.ts";
import type { LoadFacts } from "../spec/load.ts";
import type { LoadProfile, Slo } from "../spec/policy.ts";
import type { Check } from "../spec/report.ts";
import type { Verdict } from "../spec/verdict.ts";
import { judgeObjectives, samplesNeeded } from "./load.ts";

/** k6's exit code when a threshold failed; every other code but 0 is a run that broke. */
const thresholdsFailed = 99;

const measured = "{scenario:measured}";

/** The metrics that k6 is held against and that the summary is made of: the measured scenario alone, not its warm-up. */
export const k6Metrics = {
  requests: `http_reqs${measured}`,
  failed: `http_req_failed${measured}`,
  checks: `checks${measured}`,
  dropped: `dropped_iterations${measured}`,
  duration: "http_req_duration{scenario:measured,expected_response:true}",
};

/** Renders scenarios and thresholds. k6 alone passes a run of nothing: a smallest number of requests is a threshold too. */
export function k6Options(profile: LoadProfile, slo: Slo): K6Options {
  const { warmupSeconds, seconds } = profile;
  const warmup = warmupSeconds > 0 ? { warmup: scenario(profile, warmupSeconds, 0) } : {};
  const needed = Math.max(...slo.latency.map((limit) => samplesNeeded(limit.quantile)));
  const quantiles = slo.latency.map(({ quantile, maxMs }) => `${k6Quantile(quantile)}<=${maxMs}`);
  return {
    scenarios: { ...warmup, measured: scenario(profile, seconds, warmupSeconds) },
    thresholds: {
      [k6Metrics.requests]: [`count>=${needed}`],
      [k6Metrics.failed]: [`rate<=${slo.maxErrorRate}`],
      [k6Metrics.checks]: [`rate>=${Number((1 - slo.maxErrorRate).toFixed(9))}`],
      [k6Metrics.dropped]: ["count==0"],
      [k6Metrics.duration]: quantiles,
    },
    summaryTrendStats: ["count", ...slo.latency.map(({ quantile }) => k6Quantile(quantile))],
    noConnectionReuse: false,
    discardResponseBodies: false,
  };
}

/** `p(99.9)` for 0.999. */
export function k6Quantile(quantile: number): string {
  return `p(${Number((quantile * 100).toFixed(4))})`;
}

/** What k6 said by its exit code, and what its numbers say by our own limits: both must pass. */
export function judgeK6(
  run: { exitCode: number; summary: K6Summary; facts: LoadFacts },
  slo: Slo,
  profile: LoadProfile,
): Check[] {
  return [
    { name: "k6 kept its thresholds", verdict: judgeExit(run.exitCode, run.summary) },
    ...judgeObjectives(run.facts, slo, profile),
  ];
}

function judgeExit(exitCode: number, { thresholds }: K6Summary): Verdict {
  const failed = thresholds.filter((one) => !one.ok).map((one) => `${one.metric} ${one.expression}`);
  if (exitCode === thresholdsFailed) {
    return {
      kind: "fail",
      breaches: failed.length > 0 ? failed : ["k6 says that a threshold failed, its summary names none"],
    };
  }
  if (exitCode !== 0)
    return { kind: "error", reason: `Cannot measure load: k6 exited ${exitCode}, expected 0 or ${thresholdsFailed}` };
  if (thresholds.length === 0) return { kind: "error", reason: "Cannot measure load: k6 looked at no threshold" };
  if (failed.length > 0) return { kind: "fail", breaches: failed };
  return { kind: "pass" };
}

function scenario(profile: LoadProfile, seconds: number, startSeconds: number): K6Options["scenarios"][string] {
  const { ratePerSecond, maxInFlight } = profile;
  const whole = Number.isInteger(ratePerSecond);
  return {
    executor: "constant-arrival-rate",
    rate: whole ? ratePerSecond : Math.max(1, Math.round(ratePerSecond * 1000)),
    timeUnit: whole ? "1s" : "1000s",
    duration: `${seconds}s`,
    startTime: `${startSeconds}s`,
    preAllocatedVUs: maxInFlight,
    maxVUs: maxInFlight,
  };
}
