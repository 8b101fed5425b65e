import { execFile } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { replaceFile } from "../../rollout/durable.ts";
import { DeployError } from "../../spec/error.ts";
import { until } from "../wait.ts";
import { backendName, type HaproxyPlace, type HaproxyServer, haproxyConfig } from "./config.ts";
import { type Control, command } from "./control.ts";
import { keepHistory } from "./history.ts";
import { masterOf, tellReload } from "./master.ts";
import { parseGeneration, parseStat } from "./show.ts";

const run = promisify(execFile);
const endSeconds = 10;

/** An HAProxy that Sluice starts itself, in a folder of its own. `bind` is where clients come, such as `127.0.0.1:8080`. */
export type HaproxyWanted = { folder: string; bind: string; controlBind?: string; servers: readonly HaproxyServer[] };

/** Where things are in its folder. */
export function haproxyPaths(folder: string) {
  const at = (name: string) => join(folder, name);
  return {
    config: at("haproxy.cfg"),
    socket: at("haproxy.sock"),
    pid: at("haproxy.pid"),
    samples: at("samples.json"),
    history: at("history.db"),
  };
}

/**
 * Writes the configuration and has HAProxy check it; a running HAProxy does not hear of it, the next one starts with it.
 * False when it was the present one already. Throws `E_FILE` when the check fails, and nothing is written.
 */
export async function haproxyWrite({ folder, servers, ...binds }: HaproxyWanted): Promise<boolean> {
  const paths = haproxyPaths(folder);
  const place: HaproxyPlace = { ...binds, socket: paths.socket };
  const config = haproxyConfig(place, servers);
  if ((await readFile(paths.config, "utf8").catch(() => "")) === config) return false;
  await writeChecked(paths.config, config);
  return true;
}

/**
 * Starts HAProxy with this configuration, or reloads the running one when the configuration is new to it: its listeners
 * are handed over, requests under way are finished. Returns when the new process answers.
 */
export async function haproxyUp(wanted: HaproxyWanted, { settleSeconds = 10 } = {}): Promise<void> {
  const paths = haproxyPaths(wanted.folder);
  const control: Control = { path: paths.socket };
  const isNew = await haproxyWrite(wanted);
  const before = await generationOf(control);
  const master = await masterOf(paths.pid);
  const runs = before !== undefined && master !== undefined;
  if (runs && !isNew && (await knows(control, wanted.servers))) return;
  if (runs) {
    await keepHistory(paths).catch(isNoReason);
    await tellReload(master, settleSeconds);
  } else await haproxy(["-W", "-D", "-p", paths.pid, "-f", paths.config], "start");
  await settle(control, before, settleSeconds);
}

/** The process that runs in `folder`, or undefined. */
export function haproxyPid(folder: string): Promise<number | undefined> {
  return masterOf(haproxyPaths(folder).pid);
}

/** Ends HAProxy: at once when nothing is under way or connected, at the latest after `drainSeconds`. False when none ran. */
export async function haproxyDown(folder: string, { drainSeconds = 10 } = {}): Promise<boolean> {
  const paths = haproxyPaths(folder);
  const master = await masterOf(paths.pid);
  if (master === undefined) return false;
  await keepHistory(paths).catch(isNoReason);
  const gone = async () => ((await masterOf(paths.pid)) === undefined ? true : undefined);
  if (drainSeconds > 0) process.kill(master, "SIGUSR1");
  if (drainSeconds === 0 || (await until(drainSeconds, gone)) === undefined) process.kill(master, "SIGTERM");
  await until(endSeconds, gone);
  await rm(paths.pid, { force: true });
  return true;
}

/** A full disk costs the history something, and the traffic nothing. */
function isNoReason(): void {}

async function writeChecked(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const candidate = `${path}.candidate`;
  await replaceFile(candidate, text);
  await haproxy(["-c", "-f", candidate], "check the configuration of");
  await replaceFile(path, text);
  await rm(candidate, { force: true });
}

/** Runs the program: `E_TOOL` when it is missing, `E_FILE` when it says no. */
async function haproxy(args: string[], action: string): Promise<void> {
  try {
    await run("haproxy", args);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new DeployError(
        "E_TOOL",
        `Cannot ${action} HAProxy: no haproxy on the PATH; next: install the package haproxy`,
        { cause },
      );
    }
    const words = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    throw new DeployError("E_FILE", `Cannot ${action} HAProxy: ${words}`, { cause });
  }
}

async function generationOf(control: Control): Promise<string | undefined> {
  return command(control, "show info").then(parseGeneration, () => undefined);
}

/** Whether the running process has these revisions: what was written may not have been told, for its author was killed. */
async function knows(control: Control, servers: readonly HaproxyServer[]): Promise<boolean> {
  const stats = parseStat(await command(control, "show stat"), backendName);
  const known = new Map(stats.map(({ svname, addr }) => [svname, addr]));
  // One that has not come up yet has no port; it is told of again when it has.
  const isKnown = ({ id, host, port }: HaproxyServer) =>
    known.has(id) && (port === 0 || known.get(id) === `${host}:${port}`);
  return known.size === servers.length && servers.every(isKnown);
}

async function settle(control: Control, before: string | undefined, settleSeconds: number): Promise<void> {
  const generation = await until(settleSeconds, async () => {
    const now = await generationOf(control);
    return now !== undefined && now !== before ? now : undefined;
  });
  if (generation !== undefined) return;
  throw new DeployError(
    "E_TOOL",
    `Cannot reload HAProxy: no new process answers within ${settleSeconds} s; the old one goes on`,
  );
}
