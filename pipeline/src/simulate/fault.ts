/** One latency as the service would have given it, for a fault to spoil. */
export interface Moment {
  /** Since the canary's first weight. */
  seconds: number;
  /** The latency in multiples of the site's median, and the site's 98th and 99th percentile in the same. */
  relative: number;
  p98: number;
  p99: number;
  /** 0 <= x < 1. */
  uniform: () => number;
}

/** What is wrong with a simulated canary. Without a field it is as good as the baseline. */
export interface Fault {
  /** Chance 0..1 that a request fails. */
  errorRate?: number;
  /** By how much a latency is multiplied. */
  slowdown?: (moment: Moment) => number;
  /** Chance 0..1 that an answer differs from stable's, beside the noise that every release of the site has. */
  changedRate?: number;
  /** The share of its requests that reach the canary; the others are lost on the way. */
  reached?: number;
}

/** How much a latency must be stretched so that the p99 is 30 % higher and the median stays: more, the slower it was. */
function stretched({ relative, p99 }: Moment): number {
  return Math.max(1, relative) ** (Math.log(1.3) / Math.log(p99));
}

/**
 * Every fault by name. `none`: a canary like its baseline; `errors-1-percent`: ten times what the SLO allows;
 * `slower-30-percent`: every request, so p50 and p99 too; `p99-30-percent`: the slower, the more, the median not at all;
 * `tail-30-percent`: only the slowest 2 % of requests; `slow-start`: three times as slow for 10 s; `memory-leak`: slower by the
 * minute; `bad-host`: one request in four is four times as slow; `half-lost`: half of its requests never arrive.
 */
export const faults = {
  none: {},
  "errors-1-percent": { errorRate: 0.01 },
  "errors-5-percent": { errorRate: 0.05 },
  "p99-30-percent": { slowdown: stretched },
  "slower-30-percent": { slowdown: () => 1.3 },
  "tail-30-percent": { slowdown: ({ relative, p98 }) => (relative > p98 ? 1.3 : 1) },
  "slower-10-percent": { slowdown: () => 1.1 },
  "twice-as-slow": { slowdown: () => 2 },
  "flips-2-percent": { changedRate: 0.02 },
  "flips-10-percent": { changedRate: 0.1 },
  "slow-start": { slowdown: ({ seconds }) => (seconds < 10 ? 3 : 1) },
  "memory-leak": { slowdown: ({ seconds }) => 1 + seconds / 60 },
  "bad-host": { slowdown: ({ uniform }) => (uniform() < 0.25 ? 4 : 1) },
  "half-lost": { reached: 0.5 },
  silent: { reached: 0 },
} as const satisfies Record<string, Fault>;
export type FaultName = keyof typeof faults;

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(faults, name);
}

/** Every fault that can be asked for. */
export const faultNames: readonly FaultName[] = Object.keys(faults).filter(isFaultName);
