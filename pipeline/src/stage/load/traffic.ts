import { constant } from "./arrival.ts";
import { drive } from "./driver.ts";
import type { LoadRequest } from "./request.ts";

/** Where made-up traffic goes: the golden inputs, at a constant rate. */
export interface TrafficInput {
  url: string;
  key: string;
  requests: LoadRequest[];
  ratePerSecond: number;
}

/** What the traffic met: requests that ended and how many of them failed; `p99Ms` is NaN when none was answered. */
export interface TrafficSummary {
  requests: number;
  errors: number;
  errorKinds: Record<string, number>;
  dropped: number;
  p50Ms: number;
  p99Ms: number;
}

/** Traffic that runs until it is stopped. */
export interface Traffic {
  stop(): Promise<TrafficSummary>;
}

const maxInFlight = 256;
const timeoutMs = 10_000;

/** Sends traffic in the background, whatever it meets: a refused connection is counted, not thrown. */
export function startTraffic({ url, key, requests, ratePerSecond }: TrafficInput): Traffic {
  const abort = new AbortController();
  const phases = [constant(ratePerSecond, Number.POSITIVE_INFINITY)];
  const plan = { targets: [{ url, key }], requests, phases, maxInFlight, timeoutMs };
  const driven = drive(plan, { signal: abort.signal });
  return {
    async stop() {
      abort.abort();
      const [tally] = await driven;
      if (tally === undefined) throw new Error("Cannot stop traffic: no tally came back");
      const { errors, errorKinds, dropped, response } = tally;
      return {
        requests: tally.requests,
        errors,
        errorKinds,
        dropped,
        p50Ms: response.at(0.5),
        p99Ms: response.at(0.99),
      };
    },
  };
}
