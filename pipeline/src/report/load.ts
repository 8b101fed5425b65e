import { growthOf } from "../decide/growth.ts";
import { quantileName, round, times } from "../decide/quantile.ts";
import { CapacityFacts, LoadFacts, type Quantile } from "../spec/load.ts";
import type { Report } from "../spec/report.ts";
import type { Latency } from "../spec/sample.ts";
import { binsOf } from "./bins.ts";
import { type Cell, layOut, paragraph } from "./table.ts";
import { milliseconds } from "./words.ts";

/**
 * The measurement behind a load report: both arms' latency and how it is distributed, the rate, what failed, and how late
 * the driver was; or a search's curve. Ends with the command that measures it again.
 */
export function renderLoad({ facts, repeat }: Report): string {
  const again = repeat === undefined ? [] : ["", "Measure it again:", `  ${repeat}`];
  const run = LoadFacts.safeParse(facts);
  if (run.success) {
    const { data } = run;
    const parts = [latencies(data), distribution(data), remarksOf(data).flatMap((text) => paragraph(text, "  "))];
    const lines = parts.filter((part) => part.length > 0).flatMap((part) => ["", ...part]);
    return [...lines.slice(1), ...again].join("\n");
  }
  const search = CapacityFacts.safeParse(facts);
  return search.success ? [...curve(search.data), ...again].join("\n") : "";
}

/** One arm of a run. */
export interface LoadArm {
  name: "candidate" | "stable";
  requests: number;
  errors: number;
  response: Quantile[];
  distribution: Latency;
}

/** The arms of a run: the candidate, and stable where it was measured beside it. */
export function armsOf({ stable, requests, errors, response, distribution: cells }: LoadFacts): LoadArm[] {
  const candidate = { name: "candidate", requests, errors, response, distribution: cells } as const;
  return stable === null ? [candidate] : [candidate, { name: "stable", ...stable }];
}

/** What a table cannot show, a sentence each. */
export function remarksOf(facts: LoadFacts): string[] {
  const { requests, errors, errorKinds, dropped, seconds, ratePerSecond, lagP99Ms, comparison, memory } = facts;
  const kinds = Object.entries(errorKinds).map(([kind, count]) => `${count} ${kind}`);
  const failed = errors === 0 ? "none failed" : `${errors} failed (${kinds.join(", ")})`;
  const lag = lagP99Ms === null ? "" : `; the driver's own lag was ${milliseconds(lagP99Ms)} at the p99`;
  const last = memory?.at(-1);
  return [
    `${requests} requests in ${round(seconds)} s (${round(ratePerSecond)}/s), ${failed}, ${dropped} dropped${lag}`,
    ...(comparison === null ? [] : [sayComparison(comparison)]),
    ...(memory === null || last === undefined ? [] : [sayMemory(memory, last.mib)]),
  ];
}

function sayMemory(memory: NonNullable<LoadFacts["memory"]>, lastMib: number): string {
  const { perHour, low, high } = growthOf(memory);
  const interval = `95 % interval ${round(low)} to ${round(high)}`;
  const growth = Number.isFinite(perHour) ? `, ${round(perHour)} MiB/h over the later half (${interval})` : "";
  return `memory ${round(lastMib)} MiB at the end${growth}`;
}

function sayComparison({ median, tail, tailQuantile }: NonNullable<LoadFacts["comparison"]>): string {
  const interval = ({ ratio, low, high }: typeof median) =>
    `${times(ratio)} stable's (${times(low)} to ${times(high)})`;
  return `p50 ${interval(median)}, ${quantileName(tailQuantile)} ${interval(tail)}`;
}

function latencies(facts: LoadFacts): string[] {
  const names = facts.response.map(({ quantile }) => right(quantileName(quantile)));
  const head = [{ text: "response time" }, ...names, right("failed")];
  const rows = armsOf(facts).map(({ name, response, errors, requests }) => [
    { text: name },
    ...response.map(({ ms }) => right(milliseconds(ms))),
    right(`${errors} of ${requests}`),
  ]);
  return layOut([head, ...rows].map(closed));
}

const binCount = 12;
const barWidth = 20;

function distribution(facts: LoadFacts): string[] {
  const arms = armsOf(facts);
  const bins = binsOf(
    arms.map((arm) => arm.distribution),
    binCount,
  );
  if (bins.length === 0) return [];
  const most = Math.max(...bins.flatMap(({ shares }) => shares));
  const head = [right("distribution"), ...arms.map(({ name }) => ({ text: name }))];
  const rows = bins.map(({ toMs, shares }) => [
    right(`to ${milliseconds(toMs)}`),
    ...shares.map((share) => ({ text: bar(share, most) })),
  ]);
  return layOut([head, ...rows].map(closed));
}

function bar(share: number, most: number): string {
  if (share === 0) return "";
  const percent = `${(share * 100).toFixed(1)} %`;
  return `${"█".repeat(Math.round((barWidth * share) / most)) || "▏"} ${percent}`;
}

function curve({ curve: points }: CapacityFacts): string[] {
  const at = (quantiles: Quantile[], wanted: number) => {
    const found = quantiles.find(({ quantile }) => quantile === wanted);
    return right(milliseconds(found?.ms ?? null));
  };
  const head = ["rate", "p50", "p99", "failed"].map(right);
  const rows = points.map(({ ratePerSecond, response, errors, requests }) => [
    right(`${ratePerSecond}/s`),
    at(response, 0.5),
    at(response, 0.99),
    right(`${errors} of ${requests}`),
  ]);
  return layOut([head, ...rows].map(closed));
}

function right(text: string): Cell {
  return { text, align: "right" };
}

/** The table wraps its last column: an empty one keeps the others aligned. */
function closed(row: Cell[]): Cell[] {
  return [...row, { text: "" }];
}
