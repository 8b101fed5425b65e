import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { DeployError } from "../../spec/error.ts";
import type { SiteFile } from "../../spec/site.ts";
import { guarded } from "./guarded.ts";
import { countedBy, History } from "./history.ts";
import { listen, openAdmin } from "./listen.ts";
import { lockSite } from "./lock.ts";
import { tidyLogs } from "./logs.ts";
import { sitePaths } from "./paths.ts";
import { createProxy } from "./proxy.ts";
import { Site } from "./site.ts";
import { startSite } from "./start.ts";
import { readFileOfSite, readSamples } from "./state.ts";

/**
 * How the site is started; `port` 0 takes the port it had before, else a free one. `isShared`: a predecessor listens there.
 * `again`: only in a killed one's place, which has left its socket; where there is none, somebody took the site down.
 */
export type SiteOptions = {
  state: string;
  host: string;
  port: number;
  workers: number;
  isShared: boolean;
  again: boolean;
};

/** A running site. `ended` resolves when it has been asked to end and nothing is under way any more. */
export type RunningSite = { end: () => void; ended: Promise<void> };

/** `leave`: revisions live on. `down`: they were ended first. `replaced`: another site has taken over. */
type End = "leave" | "down" | "replaced";

const answerTimeoutMs = 60_000;
const holdMs = 10_000;
const tidyMs = 60_000;
const saveMs = 5_000;

/** Takes the lock, brings back what was, opens the router, then the admin socket: who can ask sees a whole site. */
export async function serveSite({ state, host, port, workers, isShared, again }: SiteOptions): Promise<RunningSite> {
  const paths = sitePaths(state);
  await mkdir(paths.folder, { recursive: true, mode: 0o700 });
  let lock = lockSite(paths.lock);
  if (again && !existsSync(paths.socket)) {
    throw new DeployError("E_STATE", "Cannot start site again: it was taken down; next: sluice site up");
  }
  const before = await readFileOfSite(paths.file);
  const site = new Site({ ...empty, ...before, host, workers }, paths);
  await site.resume(await readSamples(paths.samples));

  const { arms, meter } = site;
  const history = new History(paths.history);
  const proxy = createProxy({ arms, meter, random: Math.random, timeoutMs: answerTimeoutMs, holdMs });
  const router = listen(countedBy(history, proxy), { host, port: port === 0 ? (before?.port ?? 0) : port, isShared });
  await site.listensOn(router.port);

  setInterval(() => saveOrSay(history), saveMs).unref();
  const tidy = () => tidyLogs(paths.logs, { inUse: new Set(site.show().revisions.map(({ id }) => paths.logOf(id))) });
  setInterval(() => void tidy().catch((error: unknown) => console.error(error)), tidyMs).unref();
  const asked = Promise.withResolvers<End>();
  const replace = async (script: string) => {
    await site.handOver();
    lock.release();
    try {
      await startSite(script, { stateDir: state, host, port: router.port, workers }, { predecessor: process.pid });
      asked.resolve("replaced");
    } catch (error) {
      lock = lockSite(paths.lock);
      site.takeBack();
      throw error;
    }
  };
  const admin = await openAdmin(paths.socket, { site, replace, end: () => asked.resolve("down") });
  const guard = guarded({ state, host, port: router.port, workers, "share-port": false, again: false }, paths.output);

  const close = async () => {
    const end = await asked.promise;
    guard.dismiss();
    await (end === "down" ? router.close() : router.leave());
    await admin.close();
    saveOrSay(history);
    history.close();
    if (end === "replaced") return;
    await rm(paths.socket, { force: true });
    lock.release();
  };
  return { end: () => asked.resolve("leave"), ended: close() };
}

/** A disk that is full for a while costs the history nothing, and the site even less. */
function saveOrSay(history: History): void {
  try {
    history.save(Date.now());
  } catch (error) {
    console.error(error);
  }
}

const empty: Omit<SiteFile, "host" | "workers"> = {
  schema: "sluice/site/v1",
  port: 0,
  fence: 0,
  weights: {},
  revisions: [],
};
