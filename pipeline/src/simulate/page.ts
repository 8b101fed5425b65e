import type { Tally } from "./many.ts";

/** The figures as Markdown: a table, and a bar for each rate. */
export function simulationTable(tallies: readonly Tally[]): string {
  const rows = tallies.map((tally) => {
    const bounds = `${percent(tally.low)} to ${percent(tally.high)}`;
    const found = tally.medianRequests === null ? "-" : String(tally.medianRequests);
    const after = tally.medianSeconds === null ? "-" : `${tally.medianSeconds} s`;
    return [
      tally.fault,
      String(tally.runs),
      percent(tally.rate),
      bounds,
      bar(tally.rate),
      String(tally.paused),
      found,
      after,
    ];
  });
  return aligned([
    ["fault", "runs", "taken back", "95 % interval", "", "paused", "median requests", "median time"],
    ...rows,
  ]);
}

/** Cells as a Markdown table, the first row its head. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, i) => Math.max(3, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function bar(rate: number): string {
  return "█".repeat(Math.round(rate * 20)).padEnd(20, "·");
}

/** A rate 0..1 as people read it. */
export function percent(rate: number): string {
  return `${Number((100 * rate).toFixed(2))} %`;
}
