import type { Plan, PlannedStep } from "../decide/plan.ts";
import { type Cell, layOut, paragraph } from "./table.ts";
import { type Colours, duration } from "./words.ts";

/** What a rollout would do, for people, before it is begun. */
export function renderPlan(
  plan: Plan,
  { strategy, ratePerSecond, budgetDays }: { strategy: string; ratePerSecond: number; budgetDays: number },
  colours: Colours,
): string {
  const head = ["step", "weight", "time", "canary requests", "a pass needs", ""].map(
    (text): Cell => ({ text, paint: colours.dim }),
  );
  const share = Number((100 * plan.budgetShare).toPrecision(2));
  return [
    colours.bold(
      `Strategy ${strategy} at ${ratePerSecond} requests per second: ${duration(plan.seconds)} until promotion`,
    ),
    ...layOut([head, ...plan.steps.map(rowOf)]),
    ...paragraph(
      `Taken back, as a rule, after ${count(plan.needed.tenfoldErrors)} of the canary's requests when it fails ten times as many as the SLO allows, ${count(plan.needed.twiceAsManySlow)} when twice as many as the baseline's are slow, ${count(plan.needed.tenfoldChanges)} compared answers when it changes ten times as many as allowed.`,
    ),
    ...paragraph(
      `A canary that fails every request is taken back after about ${plan.brokenRequests} of them, ${duration(plan.brokenSeconds)} from its first weight: ${share} % of the error budget of ${budgetDays} days.`,
    ),
  ].join("\n");
}

function count(needed: number): string {
  return Number.isFinite(needed) ? String(needed) : "no number";
}

function rowOf({ weight, seconds, requests, minRequests, approval, starves }: PlannedStep, i: number): Cell[] {
  const right = (text: string): Cell => ({ text, align: "right" });
  const notes = [approval ? "waits for approval" : "", starves ? "pauses: too few requests come in time" : ""];
  return [
    { text: String(i + 1) },
    right(`${weight} %`),
    right(duration(seconds)),
    right(String(requests)),
    right(String(minRequests)),
    { text: notes.filter((note) => note !== "").join("; ") },
  ];
}
