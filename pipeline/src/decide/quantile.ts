import type { Quantile } from "../spec/load.ts";

/** `p99` for 0.99, `p99.9` for 0.999. */
export function quantileName(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(4))}`;
}

/** Milliseconds at a quantile; NaN where it was not measured. */
export function valueAt(quantiles: readonly Quantile[], quantile: number): number {
  return quantiles.find((one) => one.quantile === quantile)?.ms ?? Number.NaN;
}

/** Milliseconds or a rate as people read it: one decimal. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** `1.25x`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}
