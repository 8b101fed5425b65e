import { compare, type Pair } from "../../decide/compare.ts";
import { judgeLoad } from "../../decide/load.ts";
import { DeployError } from "../../spec/error.ts";
import type { LoadFacts, Quantile } from "../../spec/load.ts";
import type { LoadProfile, Slo } from "../../spec/policy.ts";
import type { Report } from "../../spec/report.ts";
import { driveApart } from "./apart.ts";
import { constant } from "./arrival.ts";
import type { Plan } from "./driver.ts";
import type { Durations } from "./histogram.ts";
import { watchMemory } from "./memory.ts";
import { reportLoad } from "./report.ts";
import type { LoadRequest } from "./request.ts";
import type { Target } from "./send.ts";
import type { Tally } from "./tally.ts";

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

/** Drives the candidate as the profile says, and holds what was measured against its objectives. */
export function load(input: LoadInput): Promise<Report> {
  const { profile, slo, subject } = input;
  return reportLoad(subject, slo, async () => {
    const watch = input.pid === undefined ? undefined : watchMemory(input.pid);
    const [candidate, stable] = await driveApart(planOf(input), { processes: profile.processes });
    const memory = (await watch?.stop()) ?? null;
    if (candidate === undefined) throw new DeployError("E_TOOL", "Cannot drive load: no tally came back");
    const facts = { ...factsOf(candidate, profile.seconds, slo), ...stableFacts(candidate, stable, slo), memory };
    return { facts, checks: judgeLoad(facts, slo, profile) };
  });
}

function planOf({ url, key, stable, requests, profile }: LoadInput): Plan {
  const { ratePerSecond, warmupSeconds, seconds, maxInFlight, timeoutMs } = profile;
  const targets = [{ url, key }, ...(stable === undefined ? [] : [{ url: stable.url, key: stable.key }])];
  const rate = ratePerSecond * targets.length;
  const warmup = warmupSeconds > 0 ? [constant(rate, warmupSeconds, false)] : [];
  const phases = [...warmup, constant(rate, seconds)];
  return { targets, requests, phases, maxInFlight: maxInFlight * targets.length, timeoutMs };
}

type CandidateFacts = Omit<LoadFacts, "stable" | "comparison" | "memory">;

/** Turns counts into facts; quantiles that cannot be told (nothing was answered) are left out. */
function factsOf(tally: Tally, seconds: number, slo: Slo): CandidateFacts {
  return {
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
  const arms = { response: quantilesOf(stable.response, slo), service: quantilesOf(stable.service, slo) };
  return { stable: { requests, errors, ...arms }, comparison: compare(pairsOf(candidate.series, stable.series)) };
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
