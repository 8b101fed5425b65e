import type { Verdict } from "../spec/verdict.ts";

/** Memory of the service at one moment: seconds since the measurement began, MiB resident. */
export interface MemorySample {
  atSeconds: number;
  mib: number;
}

/** How fast memory grows, in MiB per hour, with the bounds of a 95 % confidence interval. */
export interface Growth {
  perHour: number;
  low: number;
  high: number;
}

/** Ten minutes, at one a second: in less, a heap that is collected now and then looks like a leak. */
const fewestSamples = 600;
const stretches = 8;
/** Student's t at 97.5 % with two degrees of freedom less than there are stretches. */
const tQuantile = 2.4469;

/**
 * The growth over the later half of the samples: a service that warms up grows and then stops. A collected heap goes up and
 * down, so each of eight stretches counts as one point, its smallest: what is left after a collection.
 */
export function growthOf(samples: readonly MemorySample[]): Growth {
  const settled = samples.slice(Math.floor(samples.length / 2));
  const edge = (index: number) => Math.floor((index * settled.length) / stretches);
  const points = Array.from({ length: stretches }, (_, i) => floorOf(settled.slice(edge(i), edge(i + 1))));
  const { slope, error } = lineThrough(points);
  const [perHour, half] = [slope * 3600, tQuantile * error * 3600];
  return { perHour, low: perHour - half, high: perHour + half };
}

/** The slope of a straight line through all samples, in MiB per hour; NaN below two. */
export function growthPerHour(samples: readonly MemorySample[]): number {
  return lineThrough(samples).slope * 3600;
}

/** Holds the growth against its limit; a soak that is too short to tell a leak from a sawtooth says so. */
export function judgeGrowth(samples: readonly MemorySample[], maxMiBPerHour: number): Verdict {
  if (samples.length < fewestSamples) {
    const reason = `Cannot judge memory: ${samples.length} samples, it takes ${fewestSamples}`;
    return { kind: "inconclusive", reason };
  }
  const { perHour, low, high } = growthOf(samples);
  if (high <= maxMiBPerHour) return { kind: "pass" };
  const interval = `95 % interval ${low.toFixed(1)} to ${high.toFixed(1)}`;
  const found = `memory grows by ${perHour.toFixed(1)} MiB/h (${interval}), profile allows ${maxMiBPerHour}`;
  if (low <= maxMiBPerHour) return { kind: "inconclusive", reason: `${found}; next: a longer profile` };
  // NaN ends here too.
  return { kind: "fail", breaches: [found] };
}

function floorOf(samples: readonly MemorySample[]): MemorySample {
  const atSeconds = samples.reduce((sum, sample) => sum + sample.atSeconds, 0) / samples.length;
  return { atSeconds, mib: Math.min(...samples.map(({ mib }) => mib)) };
}

/** The straight line through the points by least squares: its slope in MiB per second, and that slope's standard error. */
function lineThrough(points: readonly MemorySample[]): { slope: number; error: number } {
  const count = points.length;
  const meanAt = points.reduce((sum, { atSeconds }) => sum + atSeconds, 0) / count;
  const meanMib = points.reduce((sum, { mib }) => sum + mib, 0) / count;
  const spread = points.reduce((sum, { atSeconds }) => sum + (atSeconds - meanAt) ** 2, 0);
  const slope = points.reduce((sum, { atSeconds, mib }) => sum + (atSeconds - meanAt) * (mib - meanMib), 0) / spread;
  const rest = points.reduce((sum, { atSeconds, mib }) => sum + (mib - meanMib - slope * (atSeconds - meanAt)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (count - 2) / spread) };
}
