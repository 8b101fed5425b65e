import { join } from "node:path";
import { digestBytes } from "../../release/digest.ts";
import { shortDigest } from "../../spec/digest.ts";
import { DeployError } from "../../spec/error.ts";
import type { ImageLimits } from "../../spec/image.ts";
import { readJson } from "../../spec/read.ts";
import { Release } from "../../spec/release.ts";
import type { StartRevision } from "../../spec/site.ts";
import type { Docker } from "./api.ts";
import {
  type Container,
  createContainer,
  endContainer,
  haltContainer,
  listContainers,
  startContainer,
} from "./containers.ts";
import { refreshKeys, removeFiles, sharedFolder, writeFiles } from "./files.ts";
import { freeAddress, type NetworkWanted, networkUp } from "./network.ts";
import { whyNotReady } from "./ready.ts";

/** What containers are made with. */
export type FleetWanted = {
  stateDir: string;
  network: NetworkWanted;
  workers: number;
  limits: Pick<ImageLimits, "memoryMiB" | "threads" | "tmpfs">;
};

/** What does not become ready within this is left to Docker, and HAProxy leaves it out. */
const resumeSeconds = 30;

/** The containers of one state folder on one daemon, found by their labels: nothing else remembers them. */
export class Fleet {
  readonly #docker: Docker;
  readonly #wanted: FleetWanted;
  readonly #owner: string;
  readonly #files: string;
  readonly #keys: string;

  constructor(docker: Docker, wanted: FleetWanted) {
    this.#docker = docker;
    this.#wanted = wanted;
    this.#owner = shortDigest(digestBytes(wanted.stateDir));
    this.#files = join(wanted.stateDir, "docker", "revisions");
    this.#keys = join(wanted.stateDir, "keys.json");
  }

  async list(): Promise<Container[]> {
    return (await listContainers(this.#docker)).filter(({ owner }) => owner === this.#owner);
  }

  async find(revision: string): Promise<Container | undefined> {
    return (await this.list()).find((container) => container.revision === revision);
  }

  /** Starts the revision's container, or finds it, and returns when it is ready; of one that was made here and never is, nothing is left: throws `E_STATE`. */
  async run(revision: string, release: StartRevision): Promise<Container> {
    const known = await this.find(revision);
    if (known !== undefined && known.releaseId !== release.releaseId) {
      const words = `it serves ${known.releaseId}, asked for ${release.releaseId}`;
      throw new DeployError("E_STATE", `Cannot start revision ${revision}: ${words}`);
    }
    const container = known ?? (await this.#create(revision, release));
    await startContainer(this.#docker, container.id);
    const why = await whyNotReady(this.#docker, container, release.readySeconds);
    if (why === undefined) return (await this.find(revision)) ?? container;
    if (known === undefined) await this.end(revision, 0);
    throw new DeployError("E_STATE", `Cannot start revision ${revision}: ${why}`);
  }

  /** Ends and removes the revision's container; an unknown one is done already. */
  async end(revision: string, drainSeconds: number): Promise<void> {
    const container = await this.find(revision);
    if (container !== undefined) await endContainer(this.#docker, container.id, drainSeconds);
    await removeFiles(this.#files, revision);
  }

  /** Ends every container; none is removed. */
  async halt(drainSeconds: number): Promise<void> {
    await Promise.all((await this.list()).map(({ id }) => haltContainer(this.#docker, id, drainSeconds)));
  }

  /** Starts what was halted, with the keys as they are now; returns when all are ready, or one has failed to become so. */
  async resume(): Promise<void> {
    const resumed = (await this.list()).map(async (container) => {
      await refreshKeys(this.#files, container.revision, this.#keys);
      await startContainer(this.#docker, container.id);
      await whyNotReady(this.#docker, container, resumeSeconds);
    });
    await Promise.all(resumed);
  }

  async #create(revision: string, { releaseId, releaseDir }: StartRevision): Promise<Container> {
    const { code } = await readJson(join(releaseDir, "release.json"), Release);
    if (code.kind !== "image") {
      const words = `its release is a ${code.kind}, expected an image`;
      throw new DeployError("E_STATE", `Cannot start revision ${revision}: ${words}`);
    }
    const { network, workers, limits } = this.#wanted;
    await networkUp(this.#docker, network);
    const taken = (await listContainers(this.#docker)).map(({ address }) => address);
    const files = await writeFiles(this.#files, revision, { keysFile: this.#keys, releaseDir });
    const address = freeAddress(network.subnet, taken);
    const shared = await sharedFolder(join(this.#wanted.stateDir, "docker", "shared"));
    const place = { owner: this.#owner, network: network.name, address, shared };
    await createContainer(this.#docker, {
      image: code.digest,
      revision,
      releaseId,
      workers,
      limits,
      ...files,
      ...place,
    });
    const created = await this.find(revision);
    if (created !== undefined) return created;
    throw new DeployError("E_STATE", `Cannot start revision ${revision}: its container is gone; next: try again`);
  }
}
