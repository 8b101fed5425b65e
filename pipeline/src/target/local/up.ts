import { fileURLToPath } from "node:url";
import { DeployError } from "../../spec/error.ts";
import { Done, type SiteState } from "../../spec/site.ts";
import { until } from "../wait.ts";
import { call } from "./call.ts";
import { sitePaths } from "./paths.ts";
import { startOf } from "./process.ts";
import { type SiteWanted, siteStatus, startSite } from "./start.ts";

export { type SiteWanted, siteStatus } from "./start.ts";

const script = fileURLToPath(new URL("main.ts", import.meta.url));
const downSeconds = 60;

/** Finds the site running or starts it as a process of its own; returns once it answers. Throws `E_STATE` when it does not. */
export async function siteUp(wanted: SiteWanted): Promise<SiteState> {
  const running = await siteStatus(wanted.stateDir);
  return running === undefined ? startSite(script, wanted) : demandSame(running, wanted);
}

/**
 * Puts a new process, of this version of Sluice, in the place of the running site. Both listen until the new one answers,
 * and revisions, weights and counts go over: clients notice nothing. Throws `E_STATE` when the new one does not come up;
 * the old one goes on.
 */
export async function siteUpgrade(stateDir: string): Promise<SiteState> {
  const running = await siteStatus(stateDir);
  if (running === undefined) throw new DeployError("E_STATE", "Cannot upgrade site: none runs; next: sluice site up");
  await call(sitePaths(stateDir).socket, { method: "POST", path: "/v1/replace", body: { script } }, Done);
  await ended(running.pid);
  const state = await siteStatus(stateDir);
  if (state !== undefined) return state;
  throw new DeployError("E_STATE", "Cannot upgrade site: the new one has ended; next: sluice site up");
}

/** Ends the site and its revisions; both come back with the next `siteUp`. False when none ran. */
export async function siteDown(stateDir: string): Promise<boolean> {
  const running = await siteStatus(stateDir);
  if (running === undefined) return false;
  const end = ended(running.pid);
  await call(sitePaths(stateDir).socket, { method: "POST", path: "/v1/down" }, Done);
  await end;
  return true;
}

async function ended(pid: number): Promise<void> {
  const started = startOf(pid);
  const gone = await until(downSeconds, async () => (startOf(pid) === started ? undefined : true));
  if (gone === true) return;
  throw new DeployError("E_STATE", `Cannot end site: process ${pid} still runs after ${downSeconds} s`);
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
