import { writeFile } from "node:fs/promises";
import { type ExitCode, exitCodes } from "../decide/exit.ts";
import { renderHtml } from "../report/html.ts";
import { summariseRollout } from "../report/summary.ts";
import type { Ending } from "../spec/ending.ts";
import type { Entry } from "../spec/journal.ts";
import type { Release, ReleaseRecord } from "../spec/release.ts";

/** What became of the rollout of a journal. */
export function endingOf(journal: readonly Entry[]): Ending {
  const { status, reason, seconds, candidate, stable } = summariseRollout(journal);
  const steps = journal.flatMap((entry) => stepOf(entry) ?? []);
  return {
    schema: "sluice/ending/v1",
    candidate: nameOf(candidate),
    stable: nameOf(stable),
    status,
    reason,
    steps,
    seconds,
  };
}

/** The end of a rollout that had nothing to do: the release has all traffic already. */
export function unchanged(release: Release, environment: string): Ending {
  const [candidate, stable] = [nameOf(release), nameOf(release)];
  const reason = `${release.id} has all traffic of ${environment} already`;
  return { schema: "sluice/ending/v1", candidate, stable, status: "promoted", reason, steps: [], seconds: 0 };
}

/** The line of a judged step; undefined for every other entry. */
export function stepOf({ event }: Entry): string | undefined {
  return event.kind === "judged" ? `step ${event.step + 1}: ${event.verdict.kind}; ${event.figure}` : undefined;
}

export function exitOfEnding({ status }: Ending): ExitCode {
  if (status === "promoted") return exitCodes.done;
  return status === "aborted" ? exitCodes.rolledBack : exitCodes.inconclusive;
}

/** Writes the rollout's page to `path`, when there is one. */
export async function writePage(
  path: string | undefined,
  journal: readonly Entry[],
  record?: ReleaseRecord,
): Promise<void> {
  if (path !== undefined) await writeFile(path, await renderHtml(summariseRollout(journal), record));
}

function nameOf({ model }: Release): string {
  return `${model.name}@${model.version}`;
}
