import type { Latency } from "../spec/sample.ts";

/** A stretch of latencies in milliseconds, and the share (0..1) of each arm's requests that lie in it. */
export interface Bin {
  fromMs: number;
  toMs: number;
  shares: number[];
}

/** Puts latencies into `count` stretches, each the same number of times as long as the one before; the last holds the slowest. */
export function binsOf(arms: readonly Latency[], count: number): Bin[] {
  const edges = arms.flatMap((latency) => latency.map(([micros]) => Math.max(1, micros)));
  if (edges.length === 0) return [];
  const low = edges.reduce((least, edge) => Math.min(least, edge));
  const high = edges.reduce((most, edge) => Math.max(most, edge));
  const growth = high === low ? 2 : (high / low) ** (1 / count);
  const bins = Array.from({ length: high === low ? 1 : count }, (_, i) => ({
    fromMs: (low * growth ** i) / 1000,
    toMs: (low * growth ** (i + 1)) / 1000,
    shares: arms.map(() => 0),
  }));
  for (const [arm, latency] of arms.entries()) {
    const total = latency.reduce((sum, [, requests]) => sum + requests, 0);
    for (const [micros, requests] of latency) {
      const place = Math.floor(Math.log(Math.max(1, micros) / low) / Math.log(growth));
      const shares = bins[Math.min(bins.length - 1, place)]?.shares;
      if (shares !== undefined) shares[arm] = (shares[arm] ?? 0) + requests / total;
    }
  }
  return bins;
}
