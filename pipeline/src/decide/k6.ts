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
  const { ratePerSecond: to, fromPerSecond: from = to, warmupSeconds } = profile;
  const warmup =
    warmupSeconds > 0 && from > 0 ? { warmup: scenario(profile, { from, to: from, seconds: warmupSeconds }) } : {};
  const needed = Math.max(...slo.latency.map((limit) => samplesNeeded(limit.quantile)));
  const quantiles = slo.latency.map(({ quantile, maxMs }) => `${k6Quantile(quantile)}<=${maxMs}`);
  return {
    scenarios: {
      ...warmup,
      measured: scenario(profile, { from, to, seconds: profile.seconds, startSeconds: warmupSeconds }),
    },
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

type Stretch = { from: number; to: number; seconds: number; startSeconds?: number };

/** Arrivals at a rate, or from one to another. k6 takes whole numbers only: where they are none, it counts in thousand seconds. */
function scenario(
  { maxInFlight }: LoadProfile,
  { from, to, seconds, startSeconds = 0 }: Stretch,
): K6Options["scenarios"][string] {
  const whole = Number.isInteger(from) && Number.isInteger(to);
  const rateOf = (perSecond: number) => (whole ? perSecond : Math.round(perSecond * 1000));
  const duration = `${seconds}s`;
  const users = {
    timeUnit: whole ? "1s" : "1000s",
    startTime: `${startSeconds}s`,
    preAllocatedVUs: maxInFlight,
    maxVUs: maxInFlight,
  };
  if (from === to) return { executor: "constant-arrival-rate", rate: Math.max(1, rateOf(to)), duration, ...users };
  const stages = [{ target: Math.max(1, rateOf(to)), duration }];
  return { executor: "ramping-arrival-rate", startRate: rateOf(from), stages, ...users };
}
