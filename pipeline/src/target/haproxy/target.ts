import { join } from "node:path";
import type { Router, Runtime } from "../../rollout/ports.ts";
import { DeployError } from "../../spec/error.ts";
import { Weights } from "../../spec/sample.ts";
import type { SiteWeights } from "../../spec/site.ts";
import { openSite, type SiteClientOptions } from "../local/client.ts";
import { type Met, readHistory } from "../local/history.ts";
import { siteUp } from "../local/up.ts";
import type { Backing, Endpoint } from "./backing.ts";
import type { HaproxyServer } from "./config.ts";
import { keepHistory } from "./history.ts";
import { openHaproxy } from "./router.ts";
import { haproxyPaths, haproxyPid, haproxyUp, haproxyWrite } from "./up.ts";

/** Where HAProxy has its folder, and where clients come: `bind`, such as `0.0.0.0:8080`. */
export type HaproxyFront = { stateDir: string; bind: string; controlBind?: string };

const healthySeconds = 10;
const pollMs = 50;

/** HAProxy before revisions on this machine, which the site starts and watches. */
export async function openHaproxyTarget(
  { workers, ...front }: HaproxyFront & { workers: number },
  options: SiteClientOptions = {},
): Promise<Router & Runtime> {
  const { stateDir } = front;
  await siteUp({ stateDir, host: "127.0.0.1", port: 0, workers });
  const site = openSite(stateDir, options);
  const endpoints = async () => (await site.list()).map(({ id, port }) => ({ id, host: "127.0.0.1", port }));
  return haproxyBefore({ ...site, endpoints }, front);
}

/** Brings up HAProxy, which gets the clients' traffic, before `backing`: what that refuses never reaches HAProxy. */
export async function haproxyBefore(backing: Backing, { stateDir, ...binds }: HaproxyFront): Promise<Router & Runtime> {
  const folder = join(stateDir, "haproxy");
  const paths = haproxyPaths(folder);
  const haproxy = openHaproxy({ control: { path: paths.socket }, samplesFile: paths.samples });
  const present = async () => ({
    folder,
    ...binds,
    servers: serversOf(await backing.endpoints(), await backing.readWeights()),
  });
  /** Makes HAProxy know the revisions that there are. A reload begins its counts anew: they are kept before. */
  const agree = async () => {
    await haproxy.readSamples().catch(() => undefined);
    await haproxyUp(await present());
  };
  await agree();
  await restoreWeights(haproxy, await backing.readWeights());
  return {
    ...backing,
    readWeights: () => haproxy.readWeights(),
    readSamples: () => haproxy.readSamples(),
    writeWeights: async (weights) => {
      for (const [id, weight] of Object.entries(weights)) if (weight > 0) await healthy(id);
      await backing.writeWeights(weights);
      await haproxyWrite(await present());
      await haproxy.writeWeights(weights);
    },
    start: async (id, release) => {
      const revision = await backing.start(id, release);
      await agree();
      return revision;
    },
    stop: async (id, { drainSeconds }) => {
      const isNeeded =
        new Map(Object.entries(await backing.readWeights())).get(id) || (await backing.readStable()) === id;
      if (!isNeeded) await haproxy.drain(id, drainSeconds).catch(onlyStillBusy);
      await backing.stop(id, { drainSeconds });
      await agree();
    },
  };

  /** HAProxy learns of a revision by its own health checks, a little later than the backing. */
  async function healthy(id: string): Promise<void> {
    const deadline = performance.now() + healthySeconds * 1_000;
    while (!(await haproxy.isUp(id))) {
      if (performance.now() > deadline || !(await backing.list()).some((revision) => revision.id === id)) {
        throw new DeployError(
          "E_STATE",
          `Cannot give revision ${id} weight: HAProxy does not find it well, expected UP`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
}

/** What clients met in the last `days`, up to now where HAProxy runs. */
export async function servedByHaproxy(stateDir: string, days: number): Promise<Met> {
  const folder = join(stateDir, "haproxy");
  const paths = haproxyPaths(folder);
  if ((await haproxyPid(folder)) !== undefined) await keepHistory(paths);
  return readHistory(paths.history, { days, now: Date.now() });
}

/** Finishes a change that was kept but did not reach HAProxy before its author died. */
async function restoreWeights(haproxy: Router, kept: SiteWeights): Promise<void> {
  const weights = Weights.safeParse(kept);
  if (!weights.success) return;
  const present = new Map(Object.entries(await haproxy.readWeights()));
  const isSame = Object.entries(weights.data).every(([id, weight]) => (present.get(id) ?? 0) === weight);
  if (!isSame) await haproxy.writeWeights(weights.data);
}

/** Weights of a reload are the kept ones, so that HAProxy goes on as it was. */
function serversOf(endpoints: readonly Endpoint[], weights: SiteWeights): HaproxyServer[] {
  const shares = new Map(Object.entries(weights));
  return endpoints.map((endpoint) => ({ ...endpoint, weight: shares.get(endpoint.id) ?? 0 }));
}

/** A drain that took too long ends: so it was asked. */
function onlyStillBusy(error: unknown): void {
  if (!(error instanceof DeployError && error.code === "E_STATE")) throw error;
}
