import type { LoadFacts } from "../spec/load.ts";
import { binomialTail } from "./binomial.ts";

/** The candidate's latency and stable's for the same request at the same moment, in milliseconds. */
export interface Pair {
  candidate: number;
  stable: number;
}

/** How many times stable's latency the candidate's is, with the bounds of a 95 % confidence interval. */
export interface Ratio {
  ratio: number;
  low: number;
  high: number;
}

const alpha = 0.05;
const fewestPairs = 50;
const tailQuantile = 0.9;

/** Compares both arms at the median and in the tail; null below 50 pairs. */
export function compare(pairs: readonly Pair[]): LoadFacts["comparison"] {
  if (pairs.length < fewestPairs) return null;
  return { pairs: pairs.length, median: medianRatio(pairs), tail: quantileRatio(pairs, tailQuantile), tailQuantile };
}

/**
 * The median of the pairs' ratios. The interval comes from order statistics: it supposes no shape, and what disturbs the
 * machine for a moment disturbs both halves of a pair. NaN without pairs; without bounds (0 and Infinity) below six.
 */
export function medianRatio(pairs: readonly Pair[]): Ratio {
  const ratios = pairs.map(({ candidate, stable }) => candidate / stable).sort((a, b) => a - b);
  const rank = lowRank(ratios.length);
  return {
    ratio: middle(ratios),
    low: rank === 0 ? 0 : (ratios[rank - 1] ?? Number.NaN),
    high: rank === 0 ? Number.POSITIVE_INFINITY : (ratios[ratios.length - rank] ?? Number.NaN),
  };
}

/** The largest rank below which the true median lies with at most half of `alpha`; 0 when there is none. */
function lowRank(count: number): number {
  let rank = Math.floor(count / 2 - Math.sqrt(count));
  while (binomialTail(count - rank, count, 0.5) <= alpha / 2) rank++;
  return Math.max(0, rank);
}

const resamples = 500;
const blockPairs = 10;

/**
 * The ratio of both arms' quantile. The interval is a bootstrap over blocks of neighbouring pairs, because a stall hits
 * neighbours together; the seed is fixed, so the same pairs give the same answer.
 */
export function quantileRatio(pairs: readonly Pair[], quantile: number): Ratio {
  const random = mulberry32(pairs.length);
  const blocks = Math.ceil(pairs.length / blockPairs);
  const ratios = Array.from({ length: resamples }, () => {
    const sample = Array.from({ length: blocks }, () => {
      const begin = Math.floor(random() * Math.max(1, pairs.length - blockPairs + 1));
      return pairs.slice(begin, begin + blockPairs);
    });
    return ratioAt(sample.flat(), quantile);
  }).sort((a, b) => a - b);
  const at = (share: number) => ratios[Math.round(share * (resamples - 1))] ?? Number.NaN;
  return { ratio: ratioAt(pairs, quantile), low: at(alpha / 2), high: at(1 - alpha / 2) };
}

function ratioAt(pairs: readonly Pair[], quantile: number): number {
  const at = (arm: keyof Pair) => {
    const sorted = Float64Array.from(pairs, (pair) => pair[arm]).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN;
  };
  return at("candidate") / at("stable");
}

function middle(sorted: readonly number[]): number {
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** A small generator of numbers in [0, 1): deterministic, good enough to resample. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
