import { mkdir } from "node:fs/promises";
import { DeployError } from "../../spec/error.ts";
import { SiteState } from "../../spec/site.ts";
import { until } from "../wait.ts";
import { call } from "./call.ts";
import { writeFlags } from "./flags.ts";
import { launch } from "./launch.ts";
import { lockedExitCode } from "./lock.ts";
import { lastLines } from "./logtail.ts";
import { sitePaths } from "./paths.ts";

/** Where the site keeps its state and listens; `port` 0 takes the port it had before, else a free one. */
export type SiteWanted = { stateDir: string; host: string; port: number; workers: number };

const upSeconds = 30;
/** Requests to revisions at one time; Bun's own limit is 256 and would queue the rest unseen. */
const maxRequests = 16_384;

/** The running site, or undefined when none runs. */
export async function siteStatus(stateDir: string): Promise<SiteState | undefined> {
  return call(sitePaths(stateDir).socket, { method: "GET", path: "/v1/site" }, SiteState);
}

/**
 * Starts `script` as a site, a process of its own, and returns once a site answers that is not `predecessor`, which may
 * still listen on the same port. Throws `E_STATE` when none does; with `again`, also where no killed one has left its socket.
 */
export async function startSite(
  script: string,
  { stateDir, host, port, workers }: SiteWanted,
  { predecessor, again = false }: { predecessor?: number; again?: boolean } = {},
): Promise<SiteState> {
  const { folder, output } = sitePaths(stateDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const flags = { state: stateDir, host, port, workers, "share-port": predecessor !== undefined, again };
  const site = await launch(script, writeFlags(flags), {
    cwd: folder,
    log: output,
    env: { BUN_CONFIG_MAX_HTTP_REQUESTS: String(maxRequests) },
  });
  let end: string | undefined;
  void site.ended.then((how) => {
    if (how !== `exit code ${lockedExitCode}`) end = how; // else another one was faster: wait for that
  });
  let state: SiteState | undefined;
  await until(upSeconds, async () => {
    const found = await siteStatus(stateDir);
    state = found?.pid === predecessor ? undefined : found;
    return state === undefined ? end : isSettled(state) || undefined;
  });
  // Another one was faster: a late loser would take the lock once the winner has ended.
  if (state?.pid !== site.pid) site.kill("SIGKILL");
  if (state !== undefined) return state;
  const why = end === undefined ? `it did not answer within ${upSeconds} s` : `it ended with ${end}`;
  const lines = await lastLines(output);
  throw new DeployError("E_STATE", `Cannot start site: ${why}; its log ${output} ends with:\n${lines}`);
}

/** Whether all that had traffic has been brought back, or has failed to come. */
function isSettled({ weights, revisions }: SiteState): boolean {
  const shares = new Map(Object.entries(weights));
  return revisions.every(({ id, state }) => state !== "starting" || (shares.get(id) ?? 0) === 0);
}
