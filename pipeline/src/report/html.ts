import type { ReleaseRecord } from "../spec/release.ts";
import { chartsOf } from "./chart.ts";
import { type Draw, loadDraw } from "./draw.ts";
import { loadSection } from "./load-section.ts";
import { html } from "./markup.ts";
import { chartsIn, pageOf } from "./page.ts";
import { digests, gates, heading, nameOf, steps, timeline } from "./sections.ts";
import type { RolloutSummary } from "./summary.ts";

/** One page with all of a rollout: no script, nothing from elsewhere. `load` finds what draws the charts. */
export async function renderHtml(
  summary: RolloutSummary,
  record?: ReleaseRecord,
  load: () => Promise<Draw | undefined> = loadDraw,
): Promise<string> {
  const draw = await load();
  return pageOf(
    `${nameOf(summary.candidate)}: ${summary.status}`,
    html`${heading(summary)}
<main>
${steps(summary)}
<h2>Over time</h2>${chartsIn(chartsOf(summary), draw)}
${record === undefined ? "" : gates(record)}
${record?.reports.map((report) => loadSection(report, draw)) ?? ""}
${timeline(summary)}
${digests(summary)}
</main>`,
  );
}
