import { join } from "node:path";
import type { Router, Runtime } from "../../rollout/ports.ts";
import { DeployError } from "../../spec/error.ts";
import { Weights } from "../../spec/sample.ts";
import type { Revision, SiteWeights } from "../../spec/site.ts";
import { openSite, type SiteClientOptions } from "../local/client.ts";
import { siteUp } from "../local/up.ts";
import type { HaproxyServer } from "./config.ts";
import { openHaproxy } from "./router.ts";
import { haproxyPaths, haproxyUp, haproxyWrite } from "./up.ts";

/** HAProxy before revisions on this machine. `bind` is where clients come, such as `0.0.0.0:8080`. */
export type HaproxyTarget = { stateDir: string; bind: string; controlBind?: string; workers: number };

const healthySeconds = 10;
const pollMs = 50;

/**
 * Brings up the site, which starts and watches the revisions, and HAProxy, which gets the clients' traffic. The site keeps
 * weights, stable and the fence too: what it refuses never reaches HAProxy.
 */
export async function openHaproxyTarget(
  wanted: HaproxyTarget,
  options: SiteClientOptions = {},
): Promise<Router & Runtime> {
  const { stateDir, workers, ...binds } = wanted;
  const folder = join(stateDir, "haproxy");
  const paths = haproxyPaths(folder);
  await siteUp({ stateDir, host: "127.0.0.1", port: 0, workers });
  const site = openSite(stateDir, options);
  const haproxy = openHaproxy({ control: { path: paths.socket }, samplesFile: paths.samples });
  const present = async () => ({ folder, ...binds, servers: serversOf(await site.list(), await site.readWeights()) });
  /** Makes HAProxy know the revisions that the site has. A reload begins its counts anew: they are kept before. */
  const agree = async () => {
    await haproxy.readSamples().catch(() => undefined);
    await haproxyUp(await present());
  };
  await agree();
  await restoreWeights(haproxy, await site.readWeights());
  return {
    ...site,
    readWeights: () => haproxy.readWeights(),
    readSamples: () => haproxy.readSamples(),
    writeWeights: async (weights) => {
      for (const [id, weight] of Object.entries(weights)) if (weight > 0) await healthy(id);
      await site.writeWeights(weights);
      await haproxyWrite(await present());
      await haproxy.writeWeights(weights);
    },
    start: async (id, release) => {
      const revision = await site.start(id, release);
      await agree();
      return revision;
    },
    stop: async (id, { drainSeconds }) => {
      const isNeeded = new Map(Object.entries(await site.readWeights())).get(id) || (await site.readStable()) === id;
      if (!isNeeded) await haproxy.drain(id, drainSeconds).catch(onlyStillBusy);
      await site.stop(id, { drainSeconds });
      await agree();
    },
  };

  /** HAProxy learns of a revision by its own health checks, a little later than the site. */
  async function healthy(id: string): Promise<void> {
    const deadline = performance.now() + healthySeconds * 1_000;
    while (!(await haproxy.isUp(id))) {
      if (performance.now() > deadline || !(await site.list()).some((revision) => revision.id === id)) {
        throw new DeployError(
          "E_STATE",
          `Cannot give revision ${id} weight: HAProxy does not find it well, expected UP`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
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
function serversOf(revisions: readonly Revision[], weights: SiteWeights): HaproxyServer[] {
  const shares = new Map(Object.entries(weights));
  return revisions.map(({ id, port }) => ({ id, host: "127.0.0.1", port, weight: shares.get(id) ?? 0 }));
}

/** A drain that took too long ends: so it was asked. */
function onlyStillBusy(error: unknown): void {
  if (!(error instanceof DeployError && error.code === "E_STATE")) throw error;
}
