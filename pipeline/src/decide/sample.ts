import type { Latency, Sample } from "../spec/sample.ts";

/** What came between two cumulative samples. A counter that went back was reset: all of the later one is new. */
export function since(earlier: Sample, later: Sample): Sample {
  if (later.requests < earlier.requests || later.errors < earlier.errors) return later;
  return {
    requests: later.requests - earlier.requests,
    errors: later.errors - earlier.errors,
    clientErrors: Math.max(0, later.clientErrors - earlier.clientErrors),
    latency: subtract(later.latency, earlier.latency),
  };
}

/** The sum of samples; nothing seen when there is none. */
export function sum(samples: Iterable<Sample>): Sample {
  const total = { requests: 0, errors: 0, clientErrors: 0 };
  const counts = new Map<number, number>();
  for (const sample of samples) {
    total.requests += sample.requests;
    total.errors += sample.errors;
    total.clientErrors += sample.clientErrors;
    for (const [upperUs, count] of sample.latency) counts.set(upperUs, (counts.get(upperUs) ?? 0) + count);
  }
  return { ...total, latency: [...counts].sort(([x], [y]) => x - y) };
}

/** The sum of two samples. */
export function plus(a: Sample, b: Sample): Sample {
  return sum([a, b]);
}

/** The latency in milliseconds at `quantile` (0..1); NaN when nothing was measured. */
export function quantileMs(latency: Latency, quantile: number): number {
  const rank = Math.max(1, Math.ceil(quantile * countOf(latency)));
  let seen = 0;
  for (const [upperUs, count] of latency) {
    seen += count;
    if (seen >= rank) return upperUs / 1000;
  }
  return Number.NaN;
}

/** How many were slower than `limitMs`. */
export function countAbove(latency: Latency, limitMs: number): number {
  const limitUs = limitMs * 1000;
  let above = 0;
  // From the slow end: what is asked for is rarely more than a few buckets.
  for (let i = latency.length - 1; i >= 0; i--) {
    const [upperUs, count] = latency[i] ?? [0, 0];
    if (!(upperUs > limitUs)) break;
    above += count;
  }
  return above;
}

/** How many were measured. */
export function countOf(latency: Latency): number {
  return latency.reduce((all, bucket) => all + bucket[1], 0);
}

function subtract(later: Latency, earlier: Latency): Latency {
  const before = new Map(earlier);
  return later
    .map(([upperUs, count]): [number, number] => [upperUs, count - (before.get(upperUs) ?? 0)])
    .filter(([, count]) => count > 0);
}
