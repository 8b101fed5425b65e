import type { LoadFacts } from "../spec/load.ts";
import type { LoadProfile, Slo } from "../spec/policy.ts";
import type { Check } from "../spec/report.ts";
import type { Verdict } from "../spec/verdict.ts";
import { judgeAgainstStable, whyUnfit } from "./against.ts";
import { binomialTail } from "./binomial.ts";
import { judgeGrowth } from "./growth.ts";
import { quantileName, round, times, valueAt } from "./quantile.ts";

const confidence = 0.95;

/** Holds one run of the own driver against the limits: whether it was a measurement at all, then the objectives. */
export function judgeLoad(facts: LoadFacts, slo: Slo, profile: LoadProfile): Check[] {
  return [
    { name: "driver kept its schedule", verdict: judgeLag(facts, profile) },
    ...judgeObjectives(facts, slo, profile),
    ...judgeAgainstStable(facts, slo),
    ...judgeMemory(facts, profile),
  ];
}

/** Holds what any driver measured against the limits: arrivals, errors, then every quantile. */
export function judgeObjectives(facts: LoadFacts, slo: Slo, profile: LoadProfile): Check[] {
  return [
    { name: "every arrival was sent", verdict: judgeDropped(facts, slo, profile) },
    { name: "error rate", verdict: judgeErrors(facts, slo) },
    ...slo.latency.map((limit) => ({
      name: quantileName(limit.quantile),
      verdict: judgeQuantile(facts, slo, limit),
    })),
  ];
}

/** How many samples it takes before the largest of them is an upper bound of the quantile, at 95 % confidence. */
export function samplesNeeded(quantile: number): number {
  return Math.ceil(Math.log(1 - confidence) / Math.log(quantile));
}

/** The key figure: the outermost quantile beside its limit. */
export function loadFigure(facts: LoadFacts, slo: Slo): string {
  const limit = slo.latency.reduce((outer, one) => (one.quantile > outer.quantile ? one : outer));
  const found = valueAt(facts.response, limit.quantile);
  const rate = Math.round(facts.ratePerSecond * 10) / 10;
  const against = facts.comparison === null ? "" : `, p50 ${times(facts.comparison.median.ratio)} stable's`;
  const failed = `${facts.errors} of ${facts.requests} failed`;
  return `${quantileName(limit.quantile)} ${round(found)} ms of ${limit.maxMs} ms at ${rate}/s${against}, ${failed}`;
}

function judgeLag({ lagP99Ms }: LoadFacts, { maxLagMs }: LoadProfile): Verdict {
  if (lagP99Ms !== null && lagP99Ms <= maxLagMs) return { kind: "pass" };
  const found = `its p99 lag is ${round(lagP99Ms ?? Number.NaN)} ms, profile allows ${maxLagMs} ms`;
  return {
    kind: "error",
    reason: `Cannot judge load: the driver was the bottleneck, ${found}; next: a quiet machine, more processes or a lower rate`,
  };
}

function judgeDropped(facts: LoadFacts, slo: Slo, { maxInFlight }: LoadProfile): Verdict {
  const { dropped, planned, requests } = facts;
  if (!(planned > 0)) return { kind: "error", reason: "Cannot judge load: no request was planned" };
  if (dropped > 0) {
    const breach = `${dropped} of ${planned} arrivals dropped, ${maxInFlight} requests were already under way`;
    return excuseBusy(facts, slo, breach) ?? fail(breach);
  }
  if (requests === planned) return { kind: "pass" };
  return { kind: "error", reason: `Cannot judge load: ${requests} requests ended, ${planned} were planned` };
}

function judgeErrors(facts: LoadFacts, slo: Slo): Verdict {
  const { errors, requests, errorKinds } = facts;
  const { maxErrorRate } = slo;
  if (errors / requests <= maxErrorRate) return { kind: "pass" };
  const kinds = Object.entries(errorKinds).map(([kind, count]) => `${count} ${kind}`);
  const found = `${errors} of ${requests} requests failed (${kinds.join(", ") || "none answered"})`;
  const breach = `${found}, objective allows a rate of ${maxErrorRate}`;
  const own = errors - overloads.reduce((sum, kind) => sum + (errorKinds[kind] ?? 0), 0);
  const busy = own > requests * maxErrorRate ? undefined : excuseBusy(facts, slo, breach);
  return busy ?? excuseChance({ over: errors, of: requests, rate: maxErrorRate }, breach) ?? fail(breach);
}

/** Errors that a busy machine makes of any service: every other one is the candidate's own. */
const overloads = ["status 503", "timeout"];

function judgeQuantile(facts: LoadFacts, slo: Slo, limit: Slo["latency"][number]): Verdict {
  const { quantile, maxMs } = limit;
  const answered = facts.requests - facts.errors;
  const needed = samplesNeeded(quantile);
  const name = quantileName(quantile);
  if (!(answered >= needed)) {
    return { kind: "inconclusive", reason: `Cannot judge ${name}: ${answered} samples, it takes ${needed}` };
  }
  const found = valueAt(facts.response, quantile);
  if (found <= maxMs) return { kind: "pass" };
  const breach = `${name} is ${round(found)} ms, objective is ${maxMs} ms`;
  return excuse(facts, slo, limit, breach) ?? fail(breach);
}

/** What speaks against blaming the candidate for a slow quantile: the machine was busy, or it may be chance. */
function excuse(
  facts: LoadFacts,
  slo: Slo,
  { quantile, maxMs }: Slo["latency"][number],
  breach: string,
): Verdict | undefined {
  const of = facts.distribution.reduce((sum, [, count]) => sum + count, 0);
  const over = facts.distribution.reduce((sum, [micros, count]) => sum + (micros > maxMs * 1000 ? count : 0), 0);
  return excuseBusy(facts, slo, breach) ?? excuseChance({ over, of, rate: 1 - quantile }, breach);
}

function excuseBusy(facts: LoadFacts, slo: Slo, breach: string): Verdict | undefined {
  const unfit = whyUnfit(facts, slo);
  if (unfit === undefined) return undefined;
  return { kind: "inconclusive", reason: `${breach}, but ${unfit}; next: a machine that is not busy` };
}

/** A service that keeps its objective, `rate` of its requests at most, would show that many in more than one run of twenty. */
function excuseChance(
  { over, of, rate }: { over: number; of: number; rate: number },
  breach: string,
): Verdict | undefined {
  const chance = of === 0 ? 0 : binomialTail(over, of, rate);
  if (!(chance > 1 - confidence)) return undefined;
  return { kind: "inconclusive", reason: `${breach}; ${over} of ${of} may be chance; next: a longer profile` };
}

function judgeMemory({ memory }: LoadFacts, { maxGrowthMiBPerHour }: LoadProfile): Check[] {
  if (memory === null || maxGrowthMiBPerHour === undefined) return [];
  return [{ name: "memory", verdict: judgeGrowth(memory, maxGrowthMiBPerHour) }];
}

function fail(breach: string): Verdict {
  return { kind: "fail", breaches: [breach] };
}
