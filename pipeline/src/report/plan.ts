import type { Plan, PlannedStep } from "../decide/plan.ts";
import { type Cell, layOut, paragraph } from "./table.ts";
import { type Colours, duration } from "./words.ts";

/** What a rollout would do, for people, before it is begun. */
export function renderPlan(
  plan: Plan,
  { strategy, ratePerSecond, budgetDays }: { strategy: string; ratePerSecond: number; budgetDays: number },
  colours: Colours,
): string {
  const head = ["step", "weight", "time", "canary requests", ""].map((text): Cell => ({ text, paint: colours.dim }));
  const share = Number((100 * plan.budgetShare).toPrecision(2));
  return [
    colours.bold(
      `Strategy ${strategy} at ${ratePerSecond} requests per second: ${duration(plan.seconds)} until promotion`,
    ),
    ...layOut([head, ...plan.steps.map(rowOf)]),
    ...paragraph(
      `A canary that fails every request is taken back after about ${plan.brokenRequests} of them, ${duration(plan.brokenSeconds)} from its first weight: ${share} % of the error budget of ${budgetDays} days.`,
    ),
  ].join("\n");
}

function rowOf({ weight, seconds, requests, approval, starves }: PlannedStep, i: number): Cell[] {
  const right = (text: string): Cell => ({ text, align: "right" });
  const notes = [approval ? "waits for approval" : "", starves ? "pauses: too few requests come in time" : ""];
  return [
    { text: String(i + 1) },
    right(`${weight} %`),
    right(duration(seconds)),
    right(String(requests)),
    { text: notes.filter((note) => note !== "").join("; ") },
  ];
}
