import type { LoadFacts } from "../spec/load.ts";

/** The candidate's latency and stable's for the same request at nearly the same moment, in milliseconds. */
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

/** Pairs below which nothing can be said. */
export const fewestPairs = 100;

const blocks = 10;
/** Student's t at 97.5 % with one degree of freedom less than there are blocks. */
const tQuantile = 2.2622;
const tailQuantile = 0.9;

/** Compares both arms at the median and in the tail; `pairs` in order of time. Null below `fewestPairs`. */
export function compare(pairs: readonly Pair[]): LoadFacts["comparison"] {
  if (pairs.length < fewestPairs) return null;
  const median = ratioBy(pairs, medianOfRatios);
  const tail = ratioBy(pairs, ratioOfTails);
  return { pairs: pairs.length, median, tail, tailQuantile, stableSpread: stableSpread(pairs) };
}

/**
 * Estimates the ratio in ten stretches of time, and takes the spread between them for the interval. Requests are not
 * independent (a queue or a stall hits neighbours together), so counting them one by one would promise far too much.
 */
export function ratioBy(pairs: readonly Pair[], estimate: (stretch: readonly Pair[]) => number): Ratio {
  const logs = stretches(pairs).map((stretch) => Math.log(estimate(stretch)));
  const mean = logs.reduce((sum, log) => sum + log, 0) / blocks;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (blocks - 1);
  const half = tQuantile * Math.sqrt(variance / blocks);
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}

/** How many times its own speed stable varied: its median's second largest stretch over the second smallest. */
export function stableSpread(pairs: readonly Pair[]): number {
  const medians = stretches(pairs).map((stretch) =>
    at(
      stretch.map((pair) => pair.stable),
      0.5,
    ),
  );
  const sorted = medians.sort((a, b) => a - b);
  return (sorted.at(-2) ?? Number.NaN) / (sorted[1] ?? Number.NaN);
}

function stretches(pairs: readonly Pair[]): Pair[][] {
  const edge = (block: number) => Math.floor((block * pairs.length) / blocks);
  return Array.from({ length: blocks }, (_, i) => pairs.slice(edge(i), edge(i + 1)));
}

/** The median of the pairs' own ratios: what differs between requests cancels out. */
export function medianOfRatios(pairs: readonly Pair[]): number {
  return at(
    pairs.map(({ candidate, stable }) => candidate / stable),
    0.5,
  );
}

/** The ratio of both arms' p90: sees what happens to one request in ten. */
export function ratioOfTails(pairs: readonly Pair[]): number {
  const tail = (arm: keyof Pair) =>
    at(
      pairs.map((pair) => pair[arm]),
      tailQuantile,
    );
  return tail("candidate") / tail("stable");
}

function at(values: readonly number[], quantile: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN;
}
