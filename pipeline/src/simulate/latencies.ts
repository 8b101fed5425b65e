import { type Random, randomFrom } from "./random.ts";

/** One arm's latencies, second by second; `next` gives the natural logarithm of milliseconds. */
export interface Stream {
  nextSecond(): void;
  next(): number;
}

/** Where latencies come from: a model of a service, or a recorded trace. Percentiles are in milliseconds. */
export interface Latencies {
  p50Ms: number;
  p98Ms: number;
  p99Ms: number;
  /** The weather of one rollout: each call gives one more arm under it. */
  weather(random: Random): () => Stream;
}

/** How far the body spreads, how often a request is of the tail, and how heavy that is. */
const spread = 0.35;
const tailChance = 0.02;
const tailIndex = 0.6;
/** How much load remains from one second to the next, and what is new in it: for all arms, and for each by itself. */
const remains = 0.8;
const fresh = { shared: 0.06, own: 0.03 };
/** A stall: how often a second is one, and by how much it makes every request of that second slower. */
const stallChance = 0.005;
const stallMs = 40;

/**
 * A service like many: the body of the latencies is lognormal, 2 % have a Pareto tail. Load is an AR(1) process, so that
 * neighbouring requests are slow together: most of it all arms share, for they have the same clients and neighbours;
 * some is each arm's own. Now and then a second of one arm is stalled as a whole.
 */
export function modelled(medianMs: number): Latencies {
  const logMedian = Math.log(medianMs);
  return withPercentiles((random) => {
    const shared: number[] = [0];
    const sharedAt = (second: number) => {
      while (shared.length <= second) shared.push(remains * (shared.at(-1) ?? 0) + fresh.shared * random.normal());
      return shared[second] ?? 0;
    };
    return () => {
      let second = 0;
      let own = 0;
      let base = logMedian;
      let stall = 0;
      return {
        nextSecond() {
          second += 1;
          own = remains * own + fresh.own * random.normal();
          base = logMedian + sharedAt(second) + own;
          stall = random.uniform() < stallChance ? stallMs : 0;
        },
        next() {
          const tail = random.uniform() < tailChance ? Math.LN2 - tailIndex * Math.log(1 - random.uniform()) : 0;
          const logMs = base + spread * random.normal() + tail;
          return stall === 0 ? logMs : Math.log(Math.exp(logMs) + stall);
        },
      };
    };
  });
}

/** Percentiles of many drawn seconds; the same ones each time. */
export function withPercentiles(weather: Latencies["weather"]): Latencies {
  const drawn = weather(randomFrom(1))();
  const logs: number[] = [];
  for (let second = 0; second < 2_000; second++) {
    drawn.nextSecond();
    for (let i = 0; i < 25; i++) logs.push(drawn.next());
  }
  const sorted = Float64Array.from(logs).sort();
  const at = (quantile: number) => Math.exp(sorted[Math.floor(quantile * sorted.length)] ?? Number.NaN);
  return { p50Ms: at(0.5), p98Ms: at(0.98), p99Ms: at(0.99), weather };
}
