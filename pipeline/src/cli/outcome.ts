import { join } from "node:path";
import { type ExitCode, exitCodes } from "../decide/exit.ts";
import type { RolloutState } from "../decide/state.ts";
import { readRecord } from "../release/record.ts";
import { renderHtml } from "../report/html.ts";
import { type RolloutSummary, summariseRollout } from "../report/summary.ts";
import { renderDeploy } from "../report/text.ts";
import { replaceFile } from "../rollout/durable.ts";
import { DeployError } from "../spec/error.ts";
import { attestEnd } from "./attest.ts";
import type { Outcome } from "./command.ts";
import { type Host, rolloutDir } from "./host.ts";
import { coloursFor, terminalProgress } from "./progress.ts";
import { sayCommandsOf } from "./repeat.ts";
import { goldenOf } from "./traffic.ts";

/** Ends a command that ran a rollout: writes its reports, and says what became of it. */
export async function outcomeOf(host: Host, address: string, rollout: string, state: RolloutState): Promise<Outcome> {
  const summary = summariseRollout(await host.store.readJournal(rollout));
  const { id } = state.opened.candidate;
  const record = await unlessRemoved(readRecord(host.releasesDir, id));
  const folder = rolloutDir(host, rollout);
  const page = join(folder, "report.html");
  await replaceFile(join(folder, "report.json"), `${JSON.stringify(summary, null, 2)}\n`);
  await replaceFile(page, await renderHtml(summary, record));
  if (state.closed !== undefined) terminalProgress().done(await attestEnd(host, id));
  const text = renderDeploy(
    {
      summary,
      reports: record?.reports ?? [],
      budget: state.opened.budget,
      required: host.policies.admission.require,
      address,
      model: host.policies.environment.model,
      hasTraffic: host.policies.environment.traffic !== undefined,
      reportPath: page,
      keyFile: host.keys.keyFile,
      questionFile: await writeQuestion(host, id, folder),
      say: sayCommandsOf(host.place, { cwd: process.cwd(), home: host.home }),
    },
    coloursFor(process.stdout),
  );
  return { exit: exitOf(state), json: documentOf(summary, address, page), text };
}

/** The release's first golden request as a file, to ask the site with. */
async function writeQuestion(host: Host, id: string, folder: string): Promise<string | undefined> {
  const golden = await unlessRemoved(goldenOf(join(host.releasesDir, id, "model")));
  if (golden === undefined) return undefined;
  const path = join(folder, "question.json");
  await replaceFile(path, `${JSON.stringify(golden.cases[0]?.request)}\n`);
  return path;
}

/** Somebody may have removed the release in mid-rollout: what became of the rollout is told all the same. */
async function unlessRemoved<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof DeployError && error.code === "E_FILE") return undefined;
    throw error;
  }
}

/** The exit code of a rollout as it stands. */
function exitOf(state: RolloutState): ExitCode {
  if (state.closed?.result === "promoted") return exitCodes.done;
  if (state.closed?.result === "aborted") return exitCodes.rolledBack;
  return state.paused === undefined ? exitCodes.interrupted : exitCodes.inconclusive;
}

function documentOf(summary: RolloutSummary, address: string, reportPath: string): unknown {
  return { rollout: summary, address, reportPath };
}
