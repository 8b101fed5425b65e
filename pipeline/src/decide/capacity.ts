import type { CapacityProfile, Slo } from "../spec/policy.ts";
import type { Verdict } from "../spec/verdict.ts";
import { samplesNeeded } from "./load.ts";

/** One run of the search. */
export interface CapacityPoint {
  ratePerSecond: number;
  verdict: Verdict;
}

/** The rate to run next, or the end: the highest rate that passed (0: none) and why the search stopped. */
export type CapacityStep = { kind: "run"; ratePerSecond: number } | { kind: "end"; best: number; verdict: Verdict };

/** Looks at the runs so far. A run that could not be judged bounds the search from above, but proves no knee. */
export function nextCapacity(points: readonly CapacityPoint[], profile: CapacityProfile): CapacityStep {
  const { fromPerSecond, toPerSecond, growth, resolution } = profile;
  const best = Math.max(0, ...ratesOf(points, (kind) => kind === "pass"));
  const ceiling = Math.min(...ratesOf(points, (kind) => kind !== "pass"), Number.POSITIVE_INFINITY);
  if (points.length === 0) return { kind: "run", ratePerSecond: fromPerSecond };
  if (best === 0) return { kind: "end", best, verdict: unproven(points, ceiling) };
  if (best >= toPerSecond) return { kind: "end", best, verdict: { kind: "pass" } };
  if (ceiling === Number.POSITIVE_INFINITY) {
    return { kind: "run", ratePerSecond: Math.min(toPerSecond, round(best * growth)) };
  }
  const middle = round((best + ceiling) / 2);
  if (ceiling - best > resolution * ceiling && middle > best && middle < ceiling) {
    return { kind: "run", ratePerSecond: middle };
  }
  return { kind: "end", best, verdict: unproven(points, ceiling) };
}

/** How long a run takes: the profile's seconds, or until there are samples enough for every quantile of the objectives. */
export function secondsAt(ratePerSecond: number, { seconds }: CapacityProfile, { latency }: Slo): number {
  const needed = Math.max(...latency.map(({ quantile }) => samplesNeeded(quantile)));
  return Math.max(seconds, Math.ceil(needed / ratePerSecond));
}

/** The knee is known when the run just above it failed by an objective. */
function unproven(points: readonly CapacityPoint[], ceiling: number): Verdict {
  const above = points.find((point) => point.ratePerSecond === ceiling)?.verdict;
  const passed = points.some((point) => point.verdict.kind === "pass");
  if (above === undefined || (above.kind === "fail" && passed)) return { kind: "pass" };
  return above;
}

function ratesOf(points: readonly CapacityPoint[], is: (kind: Verdict["kind"]) => boolean): number[] {
  return points.filter((point) => is(point.verdict.kind)).map((point) => point.ratePerSecond);
}

function round(rate: number): number {
  return Math.round(rate * 10) / 10;
}
