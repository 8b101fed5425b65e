import { setTimeout as sleep } from "node:timers/promises";
import { arrivals, constant } from "./arrival.ts";
import type { LoadRequest } from "./request.ts";
import { send, type Target } from "./send.ts";

/** One answered request: when it was sent, since the epoch, and how long it took; milliseconds. */
export interface Traced {
  atMs: number;
  latencyMs: number;
}

const timeoutMs = 10_000;

/** Records what a service answers to a constant rate, in the order of sending. Requests that failed have no latency and are counted apart. */
export async function recordTrace(
  target: Target,
  { requests, ratePerSecond, seconds }: { requests: readonly LoadRequest[]; ratePerSecond: number; seconds: number },
): Promise<{ traced: Traced[]; failed: number }> {
  const traced: Traced[] = [];
  const flights: Promise<void>[] = [];
  let failed = 0;
  const began = performance.now();
  let position = 0;
  for (const { atMs } of arrivals([constant(ratePerSecond, seconds)])) {
    const request = requests[position++ % requests.length];
    if (request === undefined) throw new Error("Cannot record a trace: there is no request to send");
    await sleep(Math.max(0, began + atMs - performance.now()));
    const sentAt = performance.now();
    const flight = send(target, request, timeoutMs).then((error) => {
      if (error === undefined)
        traced.push({ atMs: performance.timeOrigin + sentAt, latencyMs: performance.now() - sentAt });
      else failed += 1;
    });
    flights.push(flight);
  }
  await Promise.all(flights);
  return { traced: traced.toSorted((a, b) => a.atMs - b.atMs), failed };
}
