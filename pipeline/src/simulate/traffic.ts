import type { Sample } from "../spec/sample.ts";
import type { Fault } from "./fault.ts";
import type { Random } from "./random.ts";

/** One arm's own weather: `load` wanders from second to second, and a stall now and then makes a whole second slow. */
export interface Arm {
  fault: Fault;
  load: number;
}

/**
 * What a site looks like: requests a second, by which share 0..1 of them a day's height and depth differ from its mean,
 * the error rate 0..1 that both arms share, and the median latency.
 */
export interface Site {
  ratePerSecond: number;
  swing: number;
  errorRate: number;
  medianMs: number;
}

/** Latencies are kept in buckets 5 % apart, as a histogram would. */
const bucket = Math.log(1.05);
const spread = 0.35;
/** A stall: how often a second, and how long. */
const stallChance = 0.01;
const stallMs = 40;
const dayRadians = (2 * Math.PI) / 86_400;

/** Requests a second at this time of the day. */
export function rateAt(site: Site, secondsOfDay: number): number {
  return site.ratePerSecond * (1 + site.swing * Math.sin(secondsOfDay * dayRadians));
}

/**
 * What one arm answers in `over` seconds with a mean of `requests`. The body of the latencies is lognormal, 2 % have a
 * Pareto tail; the load is an AR(1) process, so that neighbouring requests are slow together.
 */
export function answer(
  arm: Arm,
  { requests, over, seconds, site }: { requests: number; over: number; seconds: number; site: Site },
  random: Random,
): Sample {
  const counts = new Map<number, number>();
  let total = 0;
  let errors = 0;
  const slices = Math.max(1, Math.round(over));
  for (let slice = 0; slice < slices; slice++) {
    arm.load = 0.8 * arm.load + 0.06 * random.normal();
    const stall = random.uniform() < stallChance ? stallMs : 0;
    const count = random.poisson(requests / slices);
    total += count;
    for (let i = 0; i < count; i++) {
      if (random.uniform() < (arm.fault.errorRate ?? site.errorRate)) errors += 1;
      const tail = random.uniform() < 0.02;
      const body = Math.exp(spread * random.normal() + arm.load) * (tail ? 2 * (1 - random.uniform()) ** -0.6 : 1);
      const slowdown = arm.fault.slowdown?.({ seconds: seconds + slice, tail, uniform: () => random.uniform() }) ?? 1;
      const ms = site.medianMs * body * slowdown + stall;
      const key = Math.ceil(Math.log(ms * 1000) / bucket);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const latency = [...counts]
    .toSorted(([a], [b]) => a - b)
    .map(([key, count]): [number, number] => [Math.round(Math.exp(key * bucket)), count]);
  return { requests: total, errors, clientErrors: 0, latency };
}
