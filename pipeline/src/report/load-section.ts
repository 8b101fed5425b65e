import { quantileName } from "../decide/quantile.ts";
import { CapacityFacts, LoadFacts, type Quantile } from "../spec/load.ts";
import type { Report } from "../spec/report.ts";
import { explain } from "../spec/verdict.ts";
import { type Draw, loadDraw } from "./draw.ts";
import { armsOf, remarksOf } from "./load.ts";
import { curveChart, distributionChart, memoryChart } from "./load-chart.ts";
import { html, type Markup } from "./markup.ts";
import { chartsIn, pageOf } from "./page.ts";
import { milliseconds } from "./words.ts";

/** What a load report measured: a table and a chart of both arms or of a search, and how to repeat it. Nothing of another report. */
export function loadSection({ facts, repeat }: Report, draw: Draw | undefined): Markup | string {
  const parts = measured(facts, draw);
  if (parts === undefined) return "";
  const again = repeat === undefined ? "" : html`<p>Measure it again: <code class="digest">${repeat}</code></p>`;
  return html`<h2>Load</h2>${parts}${again}`;
}

/** One page with a load report. `load` finds what draws the charts. */
export async function renderLoadPage(
  report: Report,
  load: () => Promise<Draw | undefined> = loadDraw,
): Promise<string> {
  const { subject, figure, verdict } = report;
  const reason = explain(verdict);
  return pageOf(
    `${subject}: load`,
    html`<header><p><span class="badge ${verdict.kind}">${verdict.kind}</span></p>
<h1>${subject} under load</h1>
<p>${figure}</p>
<p>${reason}</p></header>
<main>${loadSection(report, await load())}</main>`,
  );
}

function measured(facts: Report["facts"], draw: Draw | undefined): Markup | undefined {
  const run = LoadFacts.safeParse(facts);
  if (run.success) {
    const charts = [distributionChart(run.data), memoryChart(run.data)].filter((chart) => chart !== undefined);
    const remarks = remarksOf(run.data).map((text) => html`<p>${text}</p>`);
    return html`${armTable(run.data)}${remarks}${charts.length === 0 ? "" : chartsIn(charts, draw)}`;
  }
  const search = CapacityFacts.safeParse(facts);
  return search.success ? html`${curveTable(search.data)}${chartsIn([curveChart(search.data)], draw)}` : undefined;
}

const keys = { candidate: "canary", stable: "stable" } as const;

function armTable(facts: LoadFacts): Markup {
  const heads = ["requests", "failed", ...facts.response.map(({ quantile }) => quantileName(quantile))];
  const rows = armsOf(facts).map(({ name, requests, errors, response }) => {
    const cells = [String(requests), String(errors), ...response.map(({ ms }) => milliseconds(ms))];
    return html`<tr><th scope="row"><i class="key ${keys[name]}"></i>${name}</th>${cells.map(numberCell)}</tr>`;
  });
  return html`<table><caption>Response times from the intended start; both arms in the same run.</caption>
<thead><tr><th scope="col">arm</th>${heads.map(numberHead)}</tr></thead><tbody>${rows}</tbody></table>`;
}

function curveTable({ curve }: CapacityFacts): Markup {
  const at = (response: Quantile[], wanted: number) =>
    milliseconds(response.find(({ quantile }) => quantile === wanted)?.ms ?? null);
  const rows = curve.map(({ ratePerSecond, response, errors, requests }) => {
    const cells = [String(requests), String(errors), at(response, 0.5), at(response, 0.99)];
    return html`<tr><th scope="row">${ratePerSecond}/s</th>${cells.map(numberCell)}</tr>`;
  });
  return html`<table><caption>Each rate that was tried.</caption>
<thead><tr><th scope="col">rate</th>${["requests", "failed", "p50", "p99"].map(numberHead)}</tr></thead><tbody>${rows}</tbody></table>`;
}

function numberHead(text: string): Markup {
  return html`<th scope="col" class="number">${text}</th>`;
}

function numberCell(text: string): Markup {
  return html`<td class="number">${text}</td>`;
}
