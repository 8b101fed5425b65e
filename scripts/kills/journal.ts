import { existsSync, readFileSync } from "node:fs";

/** What each entry of a journal says, but for looks, whose number depends on the machine. */
export function kindsOf(journal: string): string[] {
  const events = eventsOf(journal).filter((event) => event.kind !== "looked");
  return events.map(({ kind, action, step, verdict }) => {
    if (action !== undefined)
      return [kind, action.do, action.arm ?? action.to ?? action.weight].filter(Boolean).join(" ");
    return verdict === undefined ? kind : `judged step ${step + 1} ${verdict.kind}`;
  });
}

/** How the rollout ended, why it is paused, or `open`. */
export function resultOf(journal: string): string {
  const last = eventsOf(journal).at(-1);
  if (last?.verdict?.kind === "inconclusive") return `paused: ${last.verdict.reason}`;
  return last?.kind === "paused" ? `paused: ${last.reason}` : (last?.result ?? "open");
}

/** The revision's id of an arm. */
export function revisionOf(journal: string, arm: string): string {
  return eventsOf(journal)[0].arms[arm];
}

function eventsOf(journal: string) {
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line).event);
}
