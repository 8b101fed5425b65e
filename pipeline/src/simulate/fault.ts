/** What is wrong with a simulated canary, `seconds` after its first weight. Without a field it is as good as the baseline. */
export interface Fault {
  /** Chance 0..1 that a request fails. */
  errorRate?: number;
  /** By how much each latency is multiplied; `tail` says that it is one of the slowest 2 %. */
  slowdown?: (at: { seconds: number; tail: boolean; uniform: () => number }) => number;
  /** Chance 0..1 that an answer differs from stable's. */
  changedRate?: number;
}

/**
 * Every fault by name. `none`: a canary like its baseline; `errors-1-percent`: ten times what the SLO allows;
 * `slower-30-percent`: every request, so the p99 too; `tail-30-percent`: only the slowest requests; `slow-start`: three times
 * as slow for 10 s; `memory-leak`: slower by the minute; `bad-host`: one request in four is four times as slow.
 */
export const faults = {
  none: {},
  "errors-1-percent": { errorRate: 0.01 },
  "errors-5-percent": { errorRate: 0.05 },
  "slower-30-percent": { slowdown: () => 1.3 },
  "tail-30-percent": { slowdown: ({ tail }) => (tail ? 1.3 : 1) },
  "slower-10-percent": { slowdown: () => 1.1 },
  "twice-as-slow": { slowdown: () => 2 },
  "flips-2-percent": { changedRate: 0.02 },
  "flips-10-percent": { changedRate: 0.1 },
  "slow-start": { slowdown: ({ seconds }) => (seconds < 10 ? 3 : 1) },
  "memory-leak": { slowdown: ({ seconds }) => 1 + seconds / 60 },
  "bad-host": { slowdown: ({ uniform }) => (uniform() < 0.25 ? 4 : 1) },
} as const satisfies Record<string, Fault>;
export type FaultName = keyof typeof faults;

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(faults, name);
}

/** Every fault that can be asked for. */
export const faultNames: readonly FaultName[] = Object.keys(faults).filter(isFaultName);
