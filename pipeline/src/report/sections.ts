import { sayBudget } from "../decide/budget.ts";
import type { BudgetReading } from "../spec/budget.ts";
import type { Release, ReleaseRecord } from "../spec/release.ts";
import type { Report } from "../spec/report.ts";
import { explain, type Verdict } from "../spec/verdict.ts";
import { armNames } from "./arms.ts";
import { html, type Markup } from "./markup.ts";
import type { StepSummary } from "./steps.ts";
import type { RolloutSummary } from "./summary.ts";
import { duration, milliseconds } from "./words.ts";

/** What became of the rollout, and its few figures. */
export function heading(summary: RolloutSummary): Markup {
  const { status, reason, candidate, stable, seconds, startedAt } = summary;
  const requests = summary.steps.reduce((sum, step) => sum + step.arms.canary.requests, 0);
  const errors = summary.steps.reduce((sum, step) => sum + step.arms.canary.errors, 0);
  const facts: [string, string][] = [
    ["Before", nameOf(stable)],
    ["Began", startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")],
    ["Took", duration(seconds)],
    ["Canary answered", `${requests} requests, ${errors} errors`],
  ];
  return html`<header><p><span class="badge ${status}">${status}</span></p>
<h1>${nameOf(candidate)} ${endings[status]}</h1>
<p>${reason}</p>
<dl class="facts">${facts.map(([term, text]) => html`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl></header>`;
}

const endings = {
  promoted: "is released",
  aborted: "was taken back",
  paused: "waits",
  open: "is on its way",
} as const satisfies Record<RolloutSummary["status"], string>;

/** What each arm answered under each weight. */
export function steps(summary: RolloutSummary): Markup {
  if (summary.steps.length === 0) return html`<h2>Steps</h2><p>No traffic reached the canary.</p>`;
  return html`<h2>Steps</h2><table><caption>Requests of each arm while a weight stood. Canary and baseline are compared; stable carries the rest.</caption>
<thead><tr><th scope="col">arm</th>${["requests", "errors", "p50", "p99"].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
${summary.steps.map(step)}</table>`;
}

function step({ step, weight, seconds, verdict, arms }: StepSummary): Markup {
  const reason = verdict === undefined ? "" : explain(verdict);
  return html`<tbody><tr class="step"><th colspan="5" scope="rowgroup"><span>${badge(verdict)}</span>Step ${step + 1}: ${weight} % for ${duration(seconds)}</th></tr>
${armNames.map((arm) => {
  const { requests, errors, p50Ms, p99Ms } = arms[arm];
  const figures = [String(requests), String(errors), milliseconds(p50Ms), milliseconds(p99Ms)];
  return html`<tr><th scope="row"><i class="key ${arm}"></i>${arm}</th>${figures.map((text) => html`<td class="number">${text}</td>`)}</tr>`;
})}${reason === "" ? "" : html`<tr><td colspan="5">${reason}</td></tr>`}</tbody>`;
}

/** What was proven before any traffic. */
export function gates({ reports, environment, admittedAt, budget }: ReleaseRecord): Markup {
  const spending = budget === undefined ? "" : ` Error budget: ${sayBudget(budget)}${overrideOf(budget)}.`;
  return html`<h2>Gates</h2><table><caption>Admitted to ${environment} at ${admittedAt}.${spending}</caption>
<thead><tr>${["stage", "verdict", "figure"].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${reports.map(gate)}</tbody></table>`;
}

function overrideOf({ override }: BudgetReading): string {
  return override === undefined ? "" : `; overridden by ${override.by}: ${override.reason}`;
}

function gate({ stage, verdict, figure }: Report): Markup {
  const reason = explain(verdict);
  const more = reason === "" ? "" : html`<br><span class="soft">${reason}</span>`;
  return html`<tr><th scope="row">${stage}</th><td>${badge(verdict)}</td><td>${figure}${more}</td></tr>`;
}

/** Everything that happened, in order. */
export function timeline({ happenings }: RolloutSummary): Markup {
  return html`<h2>What happened</h2><ol>${happenings.map(({ seconds, words }) => html`<li><time>${duration(seconds)}</time><span>${words}</span></li>`)}</ol>`;
}

/** The digests that name both releases. */
export function digests({ candidate, stable, rollout }: RolloutSummary): Markup {
  const rows = [
    ["Rollout", rollout],
    ["Candidate", candidate.id],
    ["model", candidate.model.digest],
    [candidate.code.kind, candidate.code.digest],
    ["policy", candidate.policy.digest],
    ["Stable before", stable.id],
    ["model", stable.model.digest],
    [stable.code.kind, stable.code.digest],
    ["policy", stable.policy.digest],
  ] as const;
  return html`<h2>Digests</h2><table><tbody>${rows.map(([name, text]) => html`<tr><th scope="row">${name}</th><td class="digest">${text}</td></tr>`)}</tbody></table>`;
}

/** `magika@3.3.0`. */
export function nameOf({ model }: Release): string {
  return `${model.name}@${model.version}`;
}

function badge(verdict: Verdict | undefined): Markup {
  const kind = verdict?.kind ?? "open";
  return html`<b class="badge ${kind}">${kind}</b>`;
}
