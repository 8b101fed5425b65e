import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DeployError } from "../../spec/error.ts";
import { Done, SiteState } from "../../spec/site.ts";
import { call } from "./call.ts";
import { launch } from "./launch.ts";
import { lockedExitCode } from "./lock.ts";
import { lastLines } from "./logtail.ts";
import { sitePaths } from "./paths.ts";
import { type Process, startOf } from "./process.ts";

/** Where the site keeps its state and listens; `port` 0 takes the port it had before, else a free one. */
export type SiteWanted = { stateDir: string; host: string; port: number; workers: number };

const upSeconds = 30;
const downSeconds = 60;
const pollMs = 25;
/** Requests to revisions at one time; Bun's own limit is 256 and would queue the rest unseen. */
const maxRequests = 16_384;

/** The running site, or undefined when none runs. */
export async function siteStatus(stateDir: string): Promise<SiteState | undefined> {
  return call(sitePaths(stateDir).socket, { method: "GET", path: "/v1/site" }, SiteState);
}

/** Finds the site running or starts it as a process of its own; returns once it answers. Throws `E_STATE` when it does not. */
export async function siteUp(wanted: SiteWanted): Promise<SiteState> {
  const running = await siteStatus(wanted.stateDir);
  if (running !== undefined) return demandSame(running, wanted);
  const { folder, output } = sitePaths(wanted.stateDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { stateDir, host, port, workers } = wanted;
  const args = ["--state", stateDir, "--host", host, "--port", String(port), "--workers", String(workers)];
  const site = await launch(fileURLToPath(new URL("main.ts", import.meta.url)), args, {
    cwd: folder,
    log: output,
    env: { BUN_CONFIG_MAX_HTTP_REQUESTS: String(maxRequests) },
  });
  return awaitSite(site, stateDir);
}

/** Ends the site and its revisions; both come back with the next `siteUp`. False when none ran. */
export async function siteDown(stateDir: string): Promise<boolean> {
  const running = await siteStatus(stateDir);
  if (running === undefined) return false;
  const started = startOf(running.pid);
  await call(sitePaths(stateDir).socket, { method: "POST", path: "/v1/down" }, Done);
  const gone = await until(downSeconds, async () => (startOf(running.pid) === started ? undefined : true));
  if (gone === true) return true;
  throw new DeployError("E_STATE", `Cannot end site: process ${running.pid} still runs after ${downSeconds} s`);
}

function demandSame(running: SiteState, { host, port }: SiteWanted): SiteState {
  const { hostname, port: runningPort } = new URL(running.address);
  const sameHost = hostname === host || hostname === `[${host}]`;
  if (sameHost && (port === 0 || port === Number(runningPort))) return running;
  throw new DeployError(
    "E_STATE",
    `Cannot start site at ${host}:${port}: it runs at ${running.address}; next: sluice site down`,
  );
}

async function awaitSite(site: Process, stateDir: string): Promise<SiteState> {
  let end: string | undefined;
  void site.ended.then((how) => {
    if (how !== `exit code ${lockedExitCode}`) end = how; // else another one was faster: wait for that
  });
  let state: SiteState | undefined;
  await until(upSeconds, async () => {
    state = await siteStatus(stateDir);
    return state === undefined ? end : isSettled(state) || undefined;
  });
  if (state !== undefined) return state;
  const { output } = sitePaths(stateDir);
  const found = end === undefined ? `it did not answer within ${upSeconds} s` : `it ended with ${end}`;
  const lines = await lastLines(output);
  throw new DeployError("E_STATE", `Cannot start site: ${found}; its log ${output} ends with:\n${lines}`);
}

/** Whether all that had traffic has been brought back, or has failed to come. */
function isSettled({ weights, revisions }: SiteState): boolean {
  const shares = new Map(Object.entries(weights));
  return revisions.every(({ id, state }) => state !== "starting" || (shares.get(id) ?? 0) === 0);
}

/** Asks again and again until there is an answer; undefined when time is up. */
async function until<T>(seconds: number, ask: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || performance.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
