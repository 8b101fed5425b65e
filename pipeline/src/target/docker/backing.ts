import { join } from "node:path";
import { digestBytes } from "../../release/digest.ts";
import type { Runtime } from "../../rollout/ports.ts";
import { shortDigest } from "../../spec/digest.ts";
import { DeployError } from "../../spec/error.ts";
import type { ImageLimits } from "../../spec/image.ts";
import { readJson } from "../../spec/read.ts";
import { Release } from "../../spec/release.ts";
import type { Revision, StartRevision } from "../../spec/site.ts";
import type { Backing } from "../haproxy/backing.ts";
import type { Docker } from "./api.ts";
import { servicePort } from "./container.ts";
import { type Container, createContainer, endContainer, listContainers, startContainer } from "./containers.ts";
import { refreshKeys, removeFiles, writeFiles } from "./files.ts";
import { openMemory } from "./memory.ts";
import { freeAddress, type NetworkWanted, networkUp } from "./network.ts";
import { isReady, whyNotReady } from "./ready.ts";

/** What containers are made with. `fence` is the lease's: one smaller than was seen is refused. */
export type DockerWanted = {
  stateDir: string;
  network: NetworkWanted;
  workers: number;
  limits: Pick<ImageLimits, "memoryMiB" | "threads" | "tmpfs">;
  fence?: number;
};

/** Revisions as containers of one daemon: Docker starts and watches them, a file keeps weights, stable and the fence. */
export function dockerBacking(docker: Docker, wanted: DockerWanted): Backing & { refreshKeys: () => Promise<void> } {
  const { stateDir, network, workers, limits, fence = 0 } = wanted;
  const folder = join(stateDir, "docker");
  const files = join(folder, "revisions");
  const keysFile = join(stateDir, "keys.json");
  const owner = shortDigest(digestBytes(stateDir));
  const memory = openMemory(join(folder, "memory.db"), fence);

  const ours = async () => (await listContainers(docker)).filter((container) => container.owner === owner);
  const find = async (id: string) => (await ours()).find(({ revision }) => revision === id);

  const demandReady = async (id: string, action: string) => {
    const container = await find(id);
    if (container !== undefined && (id === memory.read().stable || (await isReady(container.address)))) return;
    const state = container === undefined ? "unknown" : container.status;
    throw new DeployError("E_STATE", `Cannot ${action}: it is ${state}, expected ready`);
  };

  const create = async (id: string, release: StartRevision): Promise<Container> => {
    const { code } = await readJson(join(release.releaseDir, "release.json"), Release);
    if (code.kind !== "image") {
      throw new DeployError("E_STATE", `Cannot start revision ${id}: its release is a ${code.kind}, expected an image`);
    }
    await networkUp(docker, network);
    const taken = (await listContainers(docker)).map(({ address }) => address);
    const container = {
      ...(await writeFiles(files, id, { keysFile, releaseDir: release.releaseDir })),
      image: code.digest,
      revision: id,
      releaseId: release.releaseId,
      owner,
      network: network.name,
      address: freeAddress(network.subnet, taken),
      workers,
      limits,
    };
    await createContainer(docker, container);
    const created = await find(id);
    if (created !== undefined) return created;
    throw new DeployError("E_STATE", `Cannot start revision ${id}: its container is gone; next: try again`);
  };

  const runtime: Runtime = {
    list: async () => Promise.all((await ours()).map(describe)),
    start: async (id, release) => {
      memory.change(`start revision ${id}`);
      const known = await find(id);
      if (known !== undefined && known.releaseId !== release.releaseId) {
        throw new DeployError(
          "E_STATE",
          `Cannot start revision ${id}: it serves ${known.releaseId}, asked for ${release.releaseId}`,
        );
      }
      const container = known ?? (await create(id, release));
      await startContainer(docker, container.id);
      const why = await whyNotReady(docker, container, release.readySeconds);
      if (why === undefined) return describe((await find(id)) ?? container);
      if (known === undefined) {
        await endContainer(docker, container.id, 0);
        await removeFiles(files, id);
      }
      throw new DeployError("E_STATE", `Cannot start revision ${id}: ${why}`);
    },
    stop: async (id, { drainSeconds }) => {
      memory.change(`stop revision ${id}`, ({ stable, weights }) => {
        const weight = new Map(Object.entries(weights)).get(id) ?? 0;
        if (weight > 0) {
          throw new DeployError("E_STATE", `Cannot stop revision ${id}: its weight is ${weight}, expected 0`);
        }
        if (id === stable) throw new DeployError("E_STATE", `Cannot stop revision ${id}: it is stable`);
        return {};
      });
      const container = await find(id);
      if (container !== undefined) await endContainer(docker, container.id, drainSeconds);
      await removeFiles(files, id);
    },
    addressOf: async (id) => {
      const container = await find(id);
      if (container !== undefined && (await isReady(container.address))) return addressOf(container);
      const state = container === undefined ? "unknown" : container.status;
      throw new DeployError("E_STATE", `Cannot reach revision ${id}: it is ${state}, expected ready`);
    },
    readStable: async () => memory.read().stable,
    writeStable: async (id) => {
      await demandReady(id, `make revision ${id} stable`);
      memory.change(`make revision ${id} stable`, () => ({ stable: id }));
    },
  };
  return {
    ...runtime,
    readWeights: async () => memory.read().weights,
    writeWeights: async (weights) => {
      for (const [id, weight] of Object.entries(weights)) {
        if (weight > 0) await demandReady(id, `give revision ${id} weight ${weight}`);
      }
      memory.change("write weights", () => ({ weights }));
    },
    endpoints: async () =>
      (await ours()).map(({ revision, address }) => ({ id: revision, host: address, port: servicePort })),
    refreshKeys: async () => {
      for (const { revision } of await ours()) await refreshKeys(files, revision, keysFile);
    },
  };
}

async function describe({ revision, releaseId, status, pid, restarts, address }: Container): Promise<Revision> {
  const state = status !== "running" ? "failed" : (await isReady(address)) ? "ready" : "starting";
  return { id: revision, releaseId, state, port: servicePort, pid, restarts };
}

function addressOf({ address }: Container): string {
  return `http://${address}:${servicePort}`;
}
