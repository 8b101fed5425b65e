import type { LoadFacts } from "../spec/load.ts";
import type { Slo } from "../spec/policy.ts";
import type { Check } from "../spec/report.ts";
import type { Verdict } from "../spec/verdict.ts";
import { fewestPairs, type Ratio } from "./compare.ts";
import { quantileName, round, times, valueAt } from "./quantile.ts";

/**
 * Side by side with stable: the median must be shown to be no slower than `maxSlowdown` times stable's, the tail must
 * not be shown to be. Nothing without stable, or without such an objective.
 */
export function judgeAgainstStable(facts: LoadFacts, slo: Slo): Check[] {
  const { stable, comparison } = facts;
  const { maxSlowdown: max } = slo;
  if (stable === null || max === undefined) return [];
  if (comparison === null) {
    const few = `fewer than ${fewestPairs} requests were answered by both`;
    const reason = `Cannot compare with stable: ${few}; next: a longer profile`;
    return [{ name: "p50 against stable", verdict: { kind: "inconclusive", reason } }];
  }
  const { median, tail, tailQuantile } = comparison;
  const unfit = whyUnfit(facts, slo);
  const p90 = quantileName(tailQuantile);
  return [
    { name: "p50 against stable", verdict: judgeRatio("p50", median, { max, unfit }) },
    { name: `${p90} against stable`, verdict: undecidedPasses(judgeRatio(p90, tail, { max, unfit }), tail, max) },
  ];
}

/**
 * Why the candidate cannot be blamed for being slow or overloaded in this run: stable, which passed before, was out of its
 * objectives or unsteady too. The machine was busy. Undefined on a machine that could tell.
 */
export function whyUnfit({ stable, comparison }: LoadFacts, slo: Slo): string | undefined {
  if (stable === null) return undefined;
  const { latency, maxErrorRate, maxSlowdown } = slo;
  if (stable.errors > stable.requests * maxErrorRate) {
    return `${stable.errors} of ${stable.requests} of stable's own requests failed`;
  }
  const over = latency.find(({ quantile, maxMs }) => !(valueAt(stable.response, quantile) <= maxMs));
  if (over !== undefined) {
    const found = round(valueAt(stable.response, over.quantile));
    return `stable's own ${quantileName(over.quantile)} is ${found} ms of ${over.maxMs} ms`;
  }
  if (comparison === null || maxSlowdown === undefined || comparison.stableSpread <= maxSlowdown) return undefined;
  return `stable's own speed varied ${times(comparison.stableSpread)}`;
}

function judgeRatio(
  name: string,
  { ratio, low, high }: Ratio,
  { max, unfit }: { max: number; unfit: string | undefined },
): Verdict {
  if (high <= max) return { kind: "pass" };
  const interval = `95 % interval ${times(low)} to ${times(high)}`;
  const found = `${name} is ${times(ratio)} stable's (${interval}), objective is ${times(max)}`;
  if (low <= max) return { kind: "inconclusive", reason: `${found}; next: a longer profile` };
  // NaN ends here too.
  if (unfit === undefined) return { kind: "fail", breaches: [found] };
  return { kind: "inconclusive", reason: `${found}, but ${unfit}; next: a machine that is not busy` };
}

function undecidedPasses(verdict: Verdict, { low }: Ratio, max: number): Verdict {
  return low <= max ? { kind: "pass" } : verdict;
}
