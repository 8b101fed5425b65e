/** What is wrong with a simulated canary, `seconds` after its first weight. Without a field it is as good as the baseline. */
export interface Fault {
  /** Chance 0..1 that a request fails. */
  errorRate?: number;
  /** By how much each latency is multiplied; `tail` says that it is one of the slowest 2 %. */
  slowdown?: (at: { seconds: number; tail: boolean; uniform: () => number }) => number;
  /** Chance 0..1 that an answer differs from stable's. */
  changedRate?: number;
}

/** Every fault by name; `none` is a canary like its baseline. */
export const faults = {
  none: {},
  "errors 0.1 to 1 %": { errorRate: 0.01 },
  "errors 5 %": { errorRate: 0.05 },
  "p99 +30 %, all slower": { slowdown: () => 1.3 },
  "p99 +30 %, tail alone": { slowdown: ({ tail }) => (tail ? 1.3 : 1) },
  "p50 +10 %": { slowdown: () => 1.1 },
  "twice as slow": { slowdown: () => 2 },
  "2 % label flips": { changedRate: 0.02 },
  "10 % label flips": { changedRate: 0.1 },
  "slow start": { slowdown: ({ seconds }) => (seconds < 10 ? 3 : 1) },
  "memory leak": { slowdown: ({ seconds }) => 1 + seconds / 60 },
  "one bad host in four": { slowdown: ({ uniform }) => (uniform() < 0.25 ? 4 : 1) },
} as const satisfies Record<string, Fault>;
export type FaultName = keyof typeof faults;

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(faults, name);
}

/** Every fault that can be asked for. */
export const faultNames: readonly FaultName[] = Object.keys(faults).filter(isFaultName);
