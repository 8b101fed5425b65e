import type { LoadFacts, Quantile } from "../spec/load.ts";
import type { LoadProfile, Slo } from "../spec/policy.ts";
import type { Check } from "../spec/report.ts";
import type { Verdict } from "../spec/verdict.ts";

const confidence = 0.95;

/** Holds one run of the own driver against the limits: whether it was a measurement at all, then the objectives. */
export function judgeLoad(facts: LoadFacts, slo: Slo, profile: LoadProfile): Check[] {
  return [
    { name: "driver kept its schedule", verdict: judgeLag(facts, profile) },
    ...judgeObjectives(facts, slo, profile),
  ];
}

/** Holds what any driver measured against the limits: arrivals, errors, then every quantile. */
export function judgeObjectives(facts: LoadFacts, slo: Slo, profile: LoadProfile): Check[] {
  return [
    { name: "every arrival was sent", verdict: judgeDropped(facts, profile) },
    { name: "error rate", verdict: judgeErrors(facts, slo) },
    ...slo.latency.map((limit) => ({
      name: quantileName(limit.quantile),
      verdict: judgeQuantile(facts, limit.quantile, limit.maxMs),
    })),
  ];
}

/** How many samples it takes before the largest of them is an upper bound of the quantile, at 95 % confidence. */
export function samplesNeeded(quantile: number): number {
  return Math.ceil(Math.log(1 - confidence) / Math.log(quantile));
}

/** `p99` for 0.99, `p99.9` for 0.999. */
export function quantileName(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(4))}`;
}

/** The key figure: the outermost quantile beside its limit. */
export function loadFigure(facts: LoadFacts, slo: Slo): string {
  const limit = slo.latency.reduce((outer, one) => (one.quantile > outer.quantile ? one : outer));
  const found = valueAt(facts.response, limit.quantile);
  const rate = Math.round(facts.ratePerSecond * 10) / 10;
  return `${quantileName(limit.quantile)} ${round(found)} ms of ${limit.maxMs} ms at ${rate}/s, ${facts.errors} of ${facts.requests} failed`;
}

function judgeLag({ lagP99Ms }: LoadFacts, { maxLagMs }: LoadProfile): Verdict {
  if (lagP99Ms !== null && lagP99Ms <= maxLagMs) return { kind: "pass" };
  const found = `its p99 lag is ${round(lagP99Ms ?? Number.NaN)} ms, profile allows ${maxLagMs} ms`;
  return { kind: "error", reason: `Cannot judge load: the driver was the bottleneck, ${found}; next: a lower rate` };
}

function judgeDropped({ dropped, planned, requests }: LoadFacts, { maxInFlight }: LoadProfile): Verdict {
  if (!(planned > 0)) return { kind: "error", reason: "Cannot judge load: no request was planned" };
  if (dropped > 0) {
    return fail(`${dropped} of ${planned} arrivals dropped, ${maxInFlight} requests were already under way`);
  }
  if (requests === planned) return { kind: "pass" };
  return { kind: "error", reason: `Cannot judge load: ${requests} requests ended, ${planned} were planned` };
}

function judgeErrors({ errors, requests, errorKinds }: LoadFacts, { maxErrorRate }: Slo): Verdict {
  if (errors / requests <= maxErrorRate) return { kind: "pass" };
  const kinds = Object.entries(errorKinds).map(([kind, count]) => `${count} ${kind}`);
  const found = `${errors} of ${requests} requests failed (${kinds.join(", ") || "none answered"})`;
  return fail(`${found}, objective allows a rate of ${maxErrorRate}`);
}

function judgeQuantile(facts: LoadFacts, quantile: number, maxMs: number): Verdict {
  const answered = facts.requests - facts.errors;
  const needed = samplesNeeded(quantile);
  const name = quantileName(quantile);
  if (!(answered >= needed)) {
    return { kind: "inconclusive", reason: `Cannot judge ${name}: ${answered} samples, it takes ${needed}` };
  }
  const found = valueAt(facts.response, quantile);
  return found <= maxMs ? { kind: "pass" } : fail(`${name} is ${round(found)} ms, objective is ${maxMs} ms`);
}

function valueAt(quantiles: readonly Quantile[], quantile: number): number {
  return quantiles.find((one) => one.quantile === quantile)?.ms ?? Number.NaN;
}

function fail(breach: string): Verdict {
  return { kind: "fail", breaches: [breach] };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
