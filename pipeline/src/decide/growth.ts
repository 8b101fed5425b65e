import type { Verdict } from "../spec/verdict.ts";

/** Memory of the service at one moment: seconds since the measurement began, MiB resident. */
export interface MemorySample {
  atSeconds: number;
  mib: number;
}

const fewestSamples = 20;

/** The slope of a straight line through the samples, in MiB per hour; NaN below two. */
export function growthPerHour(samples: readonly MemorySample[]): number {
  const meanAt = samples.reduce((sum, { atSeconds }) => sum + atSeconds, 0) / samples.length;
  const meanMib = samples.reduce((sum, { mib }) => sum + mib, 0) / samples.length;
  let covariance = 0;
  let variance = 0;
  for (const { atSeconds, mib } of samples) {
    covariance += (atSeconds - meanAt) * (mib - meanMib);
    variance += (atSeconds - meanAt) ** 2;
  }
  return (covariance / variance) * 3600;
}

/** The later half of the samples: a service that warms up grows and then stops. */
export function settledOf(samples: readonly MemorySample[]): MemorySample[] {
  return samples.slice(Math.floor(samples.length / 2));
}

/** Holds the growth of the settled service against its limit. */
export function judgeGrowth(samples: readonly MemorySample[], maxMiBPerHour: number): Verdict {
  const settled = settledOf(samples);
  if (settled.length < fewestSamples) {
    const reason = `Cannot judge memory: ${samples.length} samples, it takes ${2 * fewestSamples}`;
    return { kind: "inconclusive", reason };
  }
  const found = growthPerHour(settled);
  if (found <= maxMiBPerHour) return { kind: "pass" };
  return { kind: "fail", breaches: [`memory grows by ${found.toFixed(1)} MiB/h, profile allows ${maxMiBPerHour}`] };
}
