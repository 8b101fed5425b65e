import type { Answers, Sample } from "../spec/sample.ts";
import type { Fault } from "./fault.ts";
import type { Latencies, Stream } from "./latencies.ts";
import type { Random } from "./random.ts";

/**
 * What a site looks like: requests a second, by which share 0..1 of them a day's height and depth differ from its mean,
 * the error rate 0..1 that both arms share, the chance 0..1 that one release answers a request otherwise than it did
 * before, and its latencies.
 */
export interface Site {
  ratePerSecond: number;
  swing: number;
  errorRate: number;
  noiseRate: number;
  latencies: Latencies;
}

/** One arm: what is wrong with it, and its own weather. */
export interface Arm {
  fault: Fault;
  stream: Stream;
}

/** Latencies are kept in buckets 1 % apart, from one microsecond to about ten minutes. */
const bucket = 0.01;
const edges = Array.from({ length: 2_021 }, (_, i) => Math.round(Math.exp(i * bucket)));
const logMicros = Math.log(1000);
const dayRadians = (2 * Math.PI) / 86_400;

/** Requests a second at this time of the day. */
export function rateAt(site: Site, secondsOfDay: number): number {
  return site.ratePerSecond * (1 + site.swing * Math.sin(secondsOfDay * dayRadians));
}

/** What one arm answers in `over` seconds to a mean of `requests`; the clock stands at `seconds`. */
export function answer(
  { fault, stream }: Arm,
  { requests, over, seconds, site }: { requests: number; over: number; seconds: number; site: Site },
  random: Random,
): Sample {
  const { p50Ms, p98Ms, p99Ms } = site.latencies;
  const [p98, p99] = [p98Ms / p50Ms, p99Ms / p50Ms];
  const counts = new Uint32Array(edges.length);
  const uniform = () => random.uniform();
  const { errorRate = site.errorRate, slowdown, reached = 1 } = fault;
  const slices = Math.max(1, Math.round(over));
  let total = 0;
  let errors = 0;
  for (let slice = 0; slice < slices; slice++) {
    stream.nextSecond();
    const count = random.poisson((requests * reached) / slices);
    total += count;
    for (let i = 0; i < count; i++) {
      if (random.uniform() < errorRate) errors += 1;
      let logMs = stream.next();
      if (slowdown !== undefined) {
        const moment = {
          seconds: seconds + slice,
          relative: Math.exp(logMs) / p50Ms,
          p98,
          p99,
          uniform,
        };
        logMs += Math.log(slowdown(moment));
      }
      const place = Math.min(edges.length - 1, Math.max(0, Math.ceil((logMs + logMicros) / bucket)));
      counts[place] = (counts[place] ?? 0) + 1;
    }
  }
  const latency: Sample["latency"] = [];
  for (let i = 0; i < edges.length; i++) {
    const count = counts[i] ?? 0;
    if (count > 0) latency.push([edges[i] ?? 0, count]);
  }
  return { requests: total, errors, clientErrors: 0, latency };
}

/** What comes of putting `compared` requests to stable, to a canary with `fault`, and (where there is one) to a baseline. */
export function compare(
  compared: number,
  { fault, site, hasBaseline }: { fault: Fault; site: Site; hasBaseline: boolean },
  random: Random,
): Answers {
  const changedRate = 1 - (1 - site.noiseRate) * (1 - (fault.changedRate ?? 0));
  const flips = (rate: number) => {
    let count = 0;
    for (let i = 0; i < compared; i++) if (random.uniform() < rate) count += 1;
    return count;
  };
  const changed = flips(changedRate);
  return hasBaseline ? { compared, changed, noise: flips(site.noiseRate) } : { compared, changed };
}
