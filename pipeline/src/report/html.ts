import { createHash } from "node:crypto";
import type { ReleaseRecord } from "../spec/release.ts";
import { type Chart, chartsOf } from "./chart.ts";
import { type Draw, loadDraw } from "./draw.ts";
import { html, Markup } from "./markup.ts";
import { digests, gates, heading, nameOf, steps, timeline } from "./sections.ts";
import { style } from "./style.ts";
import type { RolloutSummary } from "./summary.ts";

/** Without `unsafe-inline`: the one style sheet is known by its digest, and there is nothing else to load or run. */
const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'`;

/** One page with all of a rollout: no script, nothing from elsewhere. `load` finds what draws the charts. */
export async function renderHtml(
  summary: RolloutSummary,
  record?: ReleaseRecord,
  load: () => Promise<Draw | undefined> = loadDraw,
): Promise<string> {
  const draw = await load();
  const title = `${nameOf(summary.candidate)}: ${summary.status}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
${heading(summary)}
<main>
${steps(summary)}
${charts(summary, draw)}
${record === undefined ? "" : gates(record)}
${timeline(summary)}
${digests(summary)}
</main>
</body>
</html>
`.toString();
}

function charts(summary: RolloutSummary, draw: Draw | undefined): Markup {
  if (draw === undefined) {
    return html`<h2>Over time</h2><p class="soft">No charts: the optional package echarts is not installed; next: npm ci --include=optional</p>`;
  }
  return html`<h2>Over time</h2><div class="charts">${chartsOf(summary).map((chart) => figure(chart, draw))}</div>`;
}

/** Drawn twice, for a text that is scaled down to a phone cannot be read. */
function figure(chart: Chart, draw: Draw): Markup {
  return html`<figure><figcaption><h3>${chart.title}</h3><p>${chart.description}</p></figcaption>
<div class="wide">${draw(chart, { width: 920, height: 250 })}</div>
<div class="narrow">${draw(chart, { width: 360, height: 220 })}</div></figure>
`;
}
