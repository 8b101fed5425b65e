import type { Slo, Strategy } from "../../pipeline/src/spec/policy.ts";
import type { Release } from "../../pipeline/src/spec/release.ts";

export const aSlo: Slo = { maxErrorRate: 0.001, latency: [{ quantile: 0.99, maxMs: 250 }] };

/** A step that passes after a few looks. */
export function aStep(weight: number): Strategy["steps"][number] {
  return { weight, seconds: 5, maxSeconds: 20, minRequests: 50, approval: false };
}

/** Two short steps, judged every second. */
export function aStrategy(changes: Partial<Strategy> = {}): Strategy {
  return {
    steps: [aStep(20), aStep(50)],
    lookSeconds: 1,
    readySeconds: 10,
    drainSeconds: 5,
    deadlineSeconds: 3_600,
    cooldownSeconds: 0,
    judge: {
      falseAlarm: 0.01,
      ratio: 1.5,
      latencyQuantiles: [0.5, 0.95],
      slowdown: { ratio: 1.05, ms: 0.5 },
      evidencePerLook: 20,
      maxChangedRate: 0.04,
      answersPerLook: 2,
      maxSkew: 1.5,
    },
    ...changes,
  };
}

/** A release of the model `name` whose digests are all `digit`. */
export function aRelease(version: string, { name = "magika", digit = "a" } = {}): Release {
  const digest = `sha256:${digit.repeat(64)}`;
  return {
    id: `${name}-${version}-${digit.repeat(12)}`,
    model: { name, version, digest },
    code: { kind: "bundle", digest },
    policy: { digest },
  };
}
