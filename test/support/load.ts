import type { LoadFacts } from "../../pipeline/src/spec/load.ts";
import type { LoadProfile } from "../../pipeline/src/spec/policy.ts";
import type { LoadRequest } from "../../pipeline/src/stage/load/request.ts";

/** A profile of the load stage whose own limits are as wide as a busy machine needs. */
export function aProfile(changes: Partial<LoadProfile> = {}): LoadProfile {
  return {
    ratePerSecond: 200,
    warmupSeconds: 0.2,
    seconds: 1,
    maxInFlight: 2_000,
    timeoutMs: 5_000,
    maxLagMs: 5_000,
    processes: 1,
    ...changes,
  };
}

/** One request that every server takes. */
export function aRequest(changes: Partial<LoadRequest> = {}): LoadRequest {
  return { path: "/", contentType: "application/json", body: "{}", ...changes };
}

/** A median and a p99 in milliseconds. */
export function quantiles(p50: number, p99: number): LoadFacts["response"] {
  return [
    { quantile: 0.5, ms: p50 },
    { quantile: 0.99, ms: p99 },
  ];
}

/** A run of a thousand answered requests. */
export function loadFacts(changes: Partial<LoadFacts> = {}): LoadFacts {
  return {
    driver: "sluice",
    processes: 1,
    seconds: 10,
    planned: 1000,
    dropped: 0,
    requests: 1000,
    errors: 0,
    errorKinds: {},
    ratePerSecond: 100,
    lagP99Ms: 2,
    response: quantiles(10, 80),
    service: [],
    distribution: [],
    stable: null,
    comparison: null,
    memory: null,
    ...changes,
  };
}

/** What such a run saw of stable. */
export function stableFacts(changes: Partial<NonNullable<LoadFacts["stable"]>> = {}): NonNullable<LoadFacts["stable"]> {
  return { requests: 1000, errors: 0, response: quantiles(10, 80), service: [], distribution: [], ...changes };
}

/** Exit codes of a load gate on a good service: a machine that is busy with other tests may leave it inconclusive, but never failed. */
export const passedOrBusy: (number | null)[] = [0, 4];
