import { sayBudget } from "../decide/budget.ts";
import type { BudgetReading } from "../spec/budget.ts";
import { shortDigest } from "../spec/digest.ts";
import type { Release } from "../spec/release.ts";
import type { Report, StageName } from "../spec/report.ts";
import { armNames } from "./arms.ts";
import type { StepSummary } from "./steps.ts";
import type { RolloutSummary } from "./summary.ts";
import { type Cell, layOut, paragraph } from "./table.ts";
import { type Colours, duration, milliseconds, paint, plainReason } from "./words.ts";

/** What was looked at before traffic: every report, the stages that must pass, and the error budget where it was read. */
export interface Gates {
  reports: readonly Report[];
  required: readonly StageName[];
  budget?: BudgetReading | undefined;
}

/**
 * What the last words of a deploy are made of. `model` is the name that clients ask, `keyFile` holds their key,
 * `questionFile` a request as they send it; `say` writes a command as this machine takes it.
 */
export interface Deployed extends Gates {
  summary: RolloutSummary;
  address: string;
  model: string;
  /** Whether the rollout sends requests of its own. */
  hasTraffic: boolean;
  reportPath: string;
  keyFile: string;
  questionFile: string | undefined;
  say: (command: string) => string;
}

/** Stage, verdict and key figure of each report; what is behind a verdict that is no pass goes below. */
export function renderReports(reports: readonly Report[], colours: Colours): string {
  const isMany = new Set(reports.map(({ stage }) => stage)).size < reports.length;
  const named = reports.map((report) =>
    isMany ? { ...report, figure: `${report.subject}: ${report.figure}` } : report,
  );
  return layOut(named.flatMap((report) => reportRows(report, colours))).join("\n");
}

/** The gates of a release that was or was not let in. */
export function renderGates(gates: Gates, colours: Colours): string {
  return layOut(gateRows(gates, colours)).join("\n");
}

/** One gate in one line, in the words of `renderGates()`. */
export function sayGate(report: Report, required: Gates["required"]): string {
  const { kind, text } = wordsOf(report, required);
  return kind === "-" ? `${report.stage}: ${text}` : `${report.stage}: ${kind}; ${text}`;
}

/** How a rollout stands or ended, and what each step saw of its arms. */
export function renderRollout(summary: RolloutSummary, colours: Colours): string {
  return [...headline(summary, colours), "", ...stepTable(summary, colours)].join("\n");
}

/** The whole of a deploy for its last screen: what was released, on what grounds, where it is, what to do next. */
export function renderDeploy(deployed: Deployed, colours: Colours): string {
  const { summary } = deployed;
  const part = (title: string, lines: string[]) => ["", colours.bold(title), ...lines];
  return [
    ...headline(summary, colours),
    ...part("Release", layOut(releaseRows(summary))),
    ...part("Gates", layOut(gateRows(deployed, colours))),
    ...part("Rollout", stepTable(summary, colours)),
    ...part("Next", nextLines(deployed)),
  ].join("\n");
}

function headline({ status, reason, candidate, stable, rollout, seconds }: RolloutSummary, colours: Colours): string[] {
  const name = nameOf(candidate);
  const took = duration(seconds);
  const say = (paint: (text: string) => string, text: string, rest: string) => [
    colours.bold(paint(text)),
    ...paragraph(rest),
  ];
  switch (status) {
    case "promoted":
      return say(colours.green, `${name} is released and serves all traffic`, `In ${took}: ${reason} (${rollout})`);
    case "aborted":
      return say(
        colours.red,
        `${name} was taken back, ${nameOf(stable)} serves all traffic`,
        `After ${took}: ${reason} (${rollout})`,
      );
    case "paused":
      return say(colours.yellow, `The rollout of ${name} is paused`, `After ${took}: ${reason} (${rollout})`);
    case "open":
      return say(
        colours.yellow,
        `The rollout of ${name} has not ended`,
        `For ${took}${reason === "" ? "" : `: ${reason}`} (${rollout})`,
      );
  }
}

function releaseRows({ candidate, stable }: RolloutSummary): Cell[][] {
  const digest = (text: Release["code"]["digest"]) => ({ text: `sha256:${shortDigest(text)}` });
  return [
    [{ text: "release" }, { text: candidate.id }, { text: "" }],
    [{ text: "model" }, { text: nameOf(candidate) }, digest(candidate.model.digest)],
    [{ text: "code" }, { text: candidate.code.kind }, digest(candidate.code.digest)],
    [{ text: "policy" }, { text: "" }, digest(candidate.policy.digest)],
    [{ text: "before" }, { text: stable.id }, digest(stable.model.digest)],
  ];
}

function gateRows({ reports, required, budget }: Gates, colours: Colours): Cell[][] {
  const rows = reports.flatMap((report) => {
    const { kind, text } = wordsOf(report, required);
    if (kind === "-") return [[{ text: report.stage }, { text: kind }, { text }]];
    return reportRows({ ...report, figure: text }, colours);
  });
  return budget === undefined ? rows : [...rows, budgetRow(budget, colours)];
}

/** A stage that nobody requires and that did not run is no error to them who read of it. */
function wordsOf({ stage, verdict, figure }: Report, required: Gates["required"]) {
  const { kind } = verdict;
  if (required.includes(stage)) return { kind, text: figure };
  if (kind === "error") return { kind: "-", text: `not required here: ${plainReason(verdict)}` } as const;
  return { kind, text: `${figure} (not required here)` };
}

function budgetRow(budget: BudgetReading, colours: Colours): Cell[] {
  const { override, verdict } = budget;
  const why = override === undefined ? "" : `; overridden by ${override.by}: ${override.reason}`;
  return [
    { text: "budget" },
    { text: verdict.kind, paint: paint(verdict.kind, colours) },
    { text: `${sayBudget(budget)}${why}` },
  ];
}

function reportRows({ stage, verdict, figure }: Report, colours: Colours): Cell[][] {
  const row: Cell[] = [{ text: stage }, { text: verdict.kind, paint: paint(verdict.kind, colours) }, { text: figure }];
  const reasons = verdict.kind === "fail" ? verdict.breaches : [plainReason(verdict)];
  return [row, ...reasons.filter((text) => text !== "").map((text) => [{ text: "" }, { text: "" }, { text }])];
}

function stepTable({ steps }: RolloutSummary, colours: Colours): string[] {
  if (steps.length === 0) return ["  No step had begun"];
  const right = (text: string): Cell => ({ text, align: "right" });
  const head = ["step", "weight", "time", "arm", "requests", "errors", "p50", "p99", "verdict"];
  const aligned = new Set(["weight", "time", "requests", "errors", "p50", "p99"]);
  const header = head.map((text): Cell => ({ text, paint: colours.dim, align: aligned.has(text) ? "right" : "left" }));
  const rows = steps.flatMap((step) =>
    armNames
      .filter((arm) => arm !== "stable" || step.arms.stable.requests > 0)
      .map((arm, i): Cell[] => {
        const { requests, errors, p50Ms, p99Ms } = step.arms[arm];
        const figures = [requests, errors].map((count) => right(String(count)));
        const latencies = [p50Ms, p99Ms].map((ms) => right(milliseconds(ms)));
        const first = i === 0 ? firstCells(step, colours) : { before: ["", "", ""].map(right), verdict: { text: "" } };
        return [...first.before, { text: arm }, ...figures, ...latencies, first.verdict];
      }),
  );
  const why = steps.flatMap(({ step, verdict }) =>
    verdict === undefined || verdict.kind === "pass"
      ? []
      : paragraph(`Step ${step + 1}: ${plainReason(verdict)}`, "  "),
  );
  return [...layOut([header, ...rows]), ...why];
}

function firstCells(
  { step, weight, seconds, verdict }: StepSummary,
  colours: Colours,
): { before: Cell[]; verdict: Cell } {
  const before: Cell[] = [
    { text: String(step + 1) },
    { text: `${weight} %`, align: "right" },
    { text: duration(seconds), align: "right" },
  ];
  if (verdict === undefined) return { before, verdict: { text: "not yet" } };
  return { before, verdict: { text: verdict.kind, paint: paint(verdict.kind, colours) } };
}

function nextLines(deployed: Deployed): string[] {
  const { reports, address, reportPath } = deployed;
  const { repeat } = reports.find(({ stage }) => stage === "load") ?? {};
  const rows = nextCommands(deployed).map(([what, command]): Cell[] => [{ text: what }, { text: command }]);
  return [
    `  site      ${address}`,
    `  report    ${reportPath}`,
    ...questionLines(deployed),
    // Not wrapped: it is there to be copied.
    ...(repeat === undefined ? [] : [`  measure   ${repeat}`]),
    ...layOut(rows.map(([what = { text: "" }, ...rest]) => [{ text: what.text.padEnd(8) }, ...rest])),
  ];
}

function questionLines({ questionFile, keyFile, address, model }: Deployed): string[] {
  if (questionFile === undefined) return [];
  return [
    `  ask it    curl -H "authorization: Bearer $(cat ${keyFile})" \\`,
    `              -H 'content-type: application/json' --data-binary @${questionFile} \\`,
    `              ${address.replace(/\/$/, "")}/v1/models/${model}/predict`,
  ];
}

function nextCommands({ summary: { status, steps }, hasTraffic, say }: Deployed): [string, string][] {
  const state: [string, string] = ["state", say("status")];
  const lacksTraffic = !hasTraffic && steps.at(-1)?.verdict?.kind === "inconclusive";
  switch (status) {
    case "promoted":
      return [state, ["go back", say("rollback")]];
    case "aborted":
      return [state, ["history", say("history")]];
    case "paused":
      return [
        state,
        ["go on", say("resume")],
        ...(lacksTraffic ? [["traffic", say("resume --traffic synthetic")] satisfies [string, string]] : []),
        ["give up", say("abort")],
      ];
    case "open":
      return [state, ["go on", say("rollout")], ["give up", say("abort")]];
  }
}

function nameOf({ model }: Release): string {
  return `${model.name}@${model.version}`;
}
