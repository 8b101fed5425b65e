import { createHash } from "node:crypto";
import type { Chart } from "./chart.ts";
import type { Draw } from "./draw.ts";
import { html, Markup } from "./markup.ts";
import { style } from "./style.ts";

/** Without `unsafe-inline`: the one style sheet is known by its digest, and there is nothing else to load or run. */
const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'`;

/** A whole page: no script, nothing from elsewhere. */
export function pageOf(title: string, body: Markup): string {
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
${body}
</body>
</html>
`.toString();
}

/** Charts below each other, or why there are none. */
export function chartsIn(charts: readonly Chart[], draw: Draw | undefined): Markup {
  if (draw === undefined) {
    return html`<p class="soft">No charts: the optional package echarts is not installed; next: npm ci --include=optional</p>`;
  }
  return html`<div class="charts">${charts.map((chart) => figure(chart, draw))}</div>`;
}

/** Drawn twice, for a text that is scaled down to a phone cannot be read. */
function figure(chart: Chart, draw: Draw): Markup {
  return html`<figure><figcaption><h3>${chart.title}</h3><p>${chart.description}</p></figcaption>
<div class="wide">${draw(chart, { width: 920, height: 250 })}</div>
<div class="narrow">${draw(chart, { width: 360, height: 220 })}</div></figure>
`;
}
