import { availableParallelism } from "node:os";
import { compare, type Pair } from "../../decide/compare.ts";
import { judgeLoad } from "../../decide/load.ts";
import { worst } from "../../decide/worst.ts";
import type { LoadFacts, Quantile } from "../../spec/load.ts";
import type { LoadProfile, Slo } from "../../spec/policy.ts";
import type { Report } from "../../spec/report.ts";
import { driveApart } from "./apart.ts";
import { constant } from "./arrival.ts";
import type { Plan } from "./driver.ts";
import type { Durations } from "./histogram.ts";
import { type MemoryWatch, watchMemory } from "./memory.ts";
import { type Measured, reportLoad } from "./report.ts";
import type { LoadRequest } from "./request.ts";
import type { Target } from "./send.ts";
import { Tally } from "./tally.ts";

/**
 * A running candidate and what to send it. `subject` names it in the report; `key` needs the scope `predict`. With
 * `stable` beside it, both get every request in turn, each at the profile's rate, and the candidate is held against both
 * its limits and stable.
 */
export interface LoadInput {
  url: string;
  key: string;
  stable?: Target;
  subject: string;
  /** The service's process, when it runs on this machine: its memory is watched. */
  pid?: number;
  requests: LoadRequest[];
  profile: LoadProfile;
  slo: Slo;
}

const shownQuantiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/**
 * Drives the candidate as the profile says, and holds what was measured against its objectives. While that says too
 * little, and the profile allows it, it drives on: a busy moment costs time and not the release.
 */
export function load(input: LoadInput): Promise<Report> {
  const watch = input.pid === undefined ? undefined : watchMemory(input.pid);
  return reportLoad(input.subject, input.slo, () => measure(input, watch)).finally(() => watch?.stop());
}

async function measure(input: LoadInput, watch: MemoryWatch | undefined): Promise<Measured> {
  const { profile, slo } = input;
  const { seconds, maxSeconds = seconds } = profile;
  let { processes } = profile;
  let sums = newTallies(input);
  for (let part = 1, counted = 1; ; part++, counted++) {
    const tallies = await driveApart(planOf(input, part), { processes });
    for (const [i, tally] of tallies.entries()) sums[i]?.merge(tally.toWire());
    const memory = watch === undefined ? null : [...watch.samples];
    const facts = { ...factsOf(sums, seconds * counted, slo), processes, memory };
    const checks = judgeLoad(facts, slo, profile);
    const { kind } = worst(checks);
    const isTold = kind === "pass" || kind === "fail";
    if (isTold || seconds * (part + 1) > maxSeconds) return { facts, checks };
    if (kind === "error") {
      // What a late driver measured says nothing: begin anew, with another process beside it where there is a core for it.
      sums = newTallies(input);
      counted = 0;
      processes = Math.max(processes, Math.min(2 * processes, availableParallelism()));
    }
  }
}

function newTallies({ stable }: LoadInput): Tally[] {
  return [new Tally(), ...(stable === undefined ? [] : [new Tally()])];
}

function planOf({ url, key, stable, requests, profile }: LoadInput, part: number): Plan {
  const { ratePerSecond, fromPerSecond = ratePerSecond, warmupSeconds, seconds, maxInFlight, timeoutMs } = profile;
  const targets = [{ url, key }, ...(stable === undefined ? [] : [{ url: stable.url, key: stable.key }])];
  const [from, to] = [fromPerSecond * targets.length, ratePerSecond * targets.length];
  const warmup = warmupSeconds > 0 && from > 0 ? [constant(from, warmupSeconds, false)] : [];
  const phases = [...warmup, { seconds, fromPerSecond: from, toPerSecond: to, counted: true }];
  const firstRound = (part - 1) * Math.ceil(Math.max(fromPerSecond, ratePerSecond) * (warmupSeconds + seconds) + 1);
  return { targets, requests, phases, maxInFlight: maxInFlight * targets.length, timeoutMs, firstRound };
}

/** Turns counts into facts; quantiles that cannot be told (nothing was answered) are left out. */
function factsOf(
  [tally = new Tally(), stable]: Tally[],
  seconds: number,
  slo: Slo,
): Omit<LoadFacts, "memory" | "processes"> {
  return {
    ...stableFacts(tally, stable, slo),
    driver: "sluice",
    seconds,
    planned: tally.planned,
    dropped: tally.dropped,
    requests: tally.requests,
    errors: tally.errors,
    errorKinds: { ...tally.errorKinds },
    ratePerSecond: tally.requests / seconds,
    lagP99Ms: tally.requests === 0 ? 0 : tally.lag.at(0.99),
    response: quantilesOf(tally.response, slo),
    service: quantilesOf(tally.service, slo),
    distribution: tally.response.toLatency(),
  };
}

function stableFacts(candidate: Tally, stable: Tally | undefined, slo: Slo): Pick<LoadFacts, "stable" | "comparison"> {
  if (stable === undefined) return { stable: null, comparison: null };
  const { requests, errors } = stable;
  const latency = {
    response: quantilesOf(stable.response, slo),
    service: quantilesOf(stable.service, slo),
    distribution: stable.response.toLatency(),
  };
  return { stable: { requests, errors, ...latency }, comparison: compare(pairsOf(candidate.series, stable.series)) };
}

function quantilesOf(durations: Durations, slo: Slo): Quantile[] {
  if (durations.count === 0) return [];
  const wanted = new Set([...shownQuantiles, ...slo.latency.map((limit) => limit.quantile)]);
  return [...wanted].sort((a, b) => a - b).map((quantile) => ({ quantile, ms: durations.at(quantile) }));
}

/** Rounds that both answered, in order of time. */
function pairsOf(candidate: Tally["series"], stable: Tally["series"]): Pair[] {
  const stableMs = new Map(stable);
  return [...candidate]
    .sort(([a], [b]) => a - b)
    .flatMap(([round, ms]) => {
      const other = stableMs.get(round);
      return other === undefined ? [] : [{ candidate: ms, stable: other }];
    });
}
