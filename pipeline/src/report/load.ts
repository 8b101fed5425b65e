import { quantileName, round, times } from "../decide/quantile.ts";
import { CapacityFacts, LoadFacts, type Quantile } from "../spec/load.ts";
import type { Report } from "../spec/report.ts";
import { type Cell, layOut, paragraph } from "./table.ts";
import { milliseconds } from "./words.ts";

/** The measurement behind a load report: both arms' latency, what failed, and how late the driver was; or a search's curve. */
export function renderLoad({ facts }: Report): string {
  const run = LoadFacts.safeParse(facts);
  if (run.success) return [...latencies(run.data), "", ...remarks(run.data)].join("\n");
  const search = CapacityFacts.safeParse(facts);
  return search.success ? curve(search.data).join("\n") : "";
}

function latencies({ response, stable }: LoadFacts): string[] {
  const arms: [string, Quantile[]][] = [["candidate", response]];
  if (stable !== null) arms.push(["stable", stable.response]);
  const head = [{ text: "response time" }, ...response.map(({ quantile }) => right(quantileName(quantile)))];
  const rows = arms.map(([name, quantiles]) => [{ text: name }, ...quantiles.map(({ ms }) => right(milliseconds(ms)))]);
  return layOut([head, ...rows].map(closed));
}

function remarks(facts: LoadFacts): string[] {
  const { requests, errors, errorKinds, dropped, seconds, ratePerSecond, lagP99Ms, comparison, memory } = facts;
  const kinds = Object.entries(errorKinds).map(([kind, count]) => `${count} ${kind}`);
  const failed = errors === 0 ? "none failed" : `${errors} failed (${kinds.join(", ")})`;
  const lag = lagP99Ms === null ? "" : `; the driver's own lag was ${milliseconds(lagP99Ms)} at the p99`;
  const first = `${requests} requests in ${round(seconds)} s (${round(ratePerSecond)}/s), ${failed}, ${dropped} dropped${lag}`;
  const lines = [...paragraph(first, "  ")];
  if (comparison !== null) {
    const { median, tail, tailQuantile } = comparison;
    const interval = ({ ratio, low, high }: typeof median) =>
      `${times(ratio)} stable's (${times(low)} to ${times(high)})`;
    lines.push(...paragraph(`p50 ${interval(median)}, ${quantileName(tailQuantile)} ${interval(tail)}`, "  "));
  }
  const last = memory?.at(-1);
  if (last !== undefined) lines.push(`  memory ${round(last.mib)} MiB at the end`);
  return lines;
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
