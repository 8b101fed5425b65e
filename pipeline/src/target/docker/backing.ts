import { DeployError } from "../../spec/error.ts";
import type { Revision, SiteState } from "../../spec/site.ts";
import type { Backing } from "../haproxy/backing.ts";
import { servicePort } from "./container.ts";
import type { Container } from "./containers.ts";
import type { Fleet } from "./fleet.ts";
import type { Memory } from "./memory.ts";
import { isReady } from "./ready.ts";

/** Revisions as containers: Docker starts and watches them, a file keeps weights, stable and the fence. */
export function dockerBacking(fleet: Fleet, memory: Memory): Backing {
  /** Stable is never refused: all else may depend on going back to it. */
  const demandReady = async (id: string, action: string) => {
    const container = await fleet.find(id);
    const isFit = container !== undefined && (id === memory.read().stable || (await isReady(container.address)));
    if (!isFit) throw unready(action, container);
  };
  return {
    list: async () => Promise.all((await fleet.list()).map(describe)),
    endpoints: async () =>
      (await fleet.list()).map(({ revision, address }) => ({ id: revision, host: address, port: servicePort })),
    addressOf: async (id) => {
      const container = await fleet.find(id);
      if (container === undefined || !(await isReady(container.address))) {
        throw unready(`reach revision ${id}`, container);
      }
      return `http://${container.address}:${servicePort}`;
    },
    start: async (id, release) => {
      memory.change(`start revision ${id}`);
      return describe(await fleet.run(id, release));
    },
    stop: async (id, { drainSeconds }) => {
      memory.change(`stop revision ${id}`, (kept) => {
        demandUnused(id, kept);
        return {};
      });
      await fleet.end(id, drainSeconds);
    },
    readStable: async () => memory.read().stable,
    writeStable: async (id) => {
      await demandReady(id, `make revision ${id} stable`);
      memory.change(`make revision ${id} stable`, () => ({ stable: id }));
    },
    readWeights: async () => memory.read().weights,
    writeWeights: async (weights) => {
      for (const [id, weight] of Object.entries(weights)) {
        if (weight > 0) await demandReady(id, `give revision ${id} weight ${weight}`);
      }
      memory.change("write weights", () => ({ weights }));
    },
  };
}

/** What runs and what is kept, as the site tells it. */
export async function showFleet(fleet: Fleet, memory: Memory): Promise<Omit<SiteState, "address" | "pid">> {
  return { ...memory.read(), revisions: await Promise.all((await fleet.list()).map(describe)) };
}

function demandUnused(id: string, { stable, weights }: Pick<SiteState, "stable" | "weights">): void {
  const weight = new Map(Object.entries(weights)).get(id) ?? 0;
  if (weight > 0) throw new DeployError("E_STATE", `Cannot stop revision ${id}: its weight is ${weight}, expected 0`);
  if (id === stable) throw new DeployError("E_STATE", `Cannot stop revision ${id}: it is stable`);
}

async function describe({ revision, releaseId, status, pid, restarts, address }: Container): Promise<Revision> {
  const running = (await isReady(address)) ? "ready" : "starting";
  const state = status === "running" ? running : "failed";
  return { id: revision, releaseId, state, port: servicePort, pid, restarts };
}

function unready(action: string, container: Container | undefined): DeployError {
  return new DeployError("E_STATE", `Cannot ${action}: it is ${container?.status ?? "unknown"}, expected ready`);
}
