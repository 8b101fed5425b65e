import { quantileMs, sum } from "../decide/sample.ts";
import { slowestOf } from "../decide/slowness.ts";
import type { JudgePolicy } from "../spec/policy.ts";
import { emptySample, type Sample } from "../spec/sample.ts";
import type { Fault } from "./fault.ts";
import { randomFrom } from "./random.ts";
import { answer, type Site } from "./traffic.ts";

/** What a fault does to latencies a minute after the first weight, in multiples of the baseline's. */
export interface Effect {
  p50: number;
  p90: number;
  p99: number;
  /** The canary's share 0..1 of the slowest requests of both arms, `1 - quantile` of all, where requests are many. */
  share: number;
}

/** Draws many requests of a canary with a fault and of its baseline, which meet the same weather: only the fault differs. */
export function effectOf(
  fault: Fault,
  site: Site,
  { policy, quantile }: { policy: JudgePolicy; quantile: number },
): Effect {
  const [bad, good] = [draw(fault, site), draw({}, site)];
  const found = { canary: 0, baseline: 0 };
  for (const [i, canary] of bad.entries()) {
    const slowest = slowestOf({ canary, baseline: good[i] ?? emptySample }, quantile, policy);
    found.canary += slowest.canary;
    found.baseline += slowest.baseline;
  }
  const [canary, baseline] = [sum(bad).latency, sum(good).latency];
  const ratio = (at: number) => quantileMs(canary, at) / quantileMs(baseline, at);
  return {
    p50: ratio(0.5),
    p90: ratio(0.9),
    p99: ratio(0.99),
    share: found.canary / (found.canary + found.baseline),
  };
}

function draw(fault: Fault, site: Site): Sample[] {
  const random = randomFrom(7);
  const arm = { fault, stream: site.latencies.weather(random)() };
  return Array.from({ length: 400 }, () => answer(arm, { requests: 200, over: 1, seconds: 60, site }, random));
}
