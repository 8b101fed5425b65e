import { join } from "node:path";
import { z } from "zod";
import type { Router, Runtime } from "../../rollout/ports.ts";
import { Digest } from "../../spec/digest.ts";
import { DeployError } from "../../spec/error.ts";
import type { ImageCode } from "../../spec/release.ts";
import type { SiteState } from "../../spec/site.ts";
import { haproxyBefore } from "../haproxy/target.ts";
import { haproxyDown, haproxyPid } from "../haproxy/up.ts";
import { openDocker } from "./api.ts";
import { dockerBacking, showFleet } from "./backing.ts";
import { Fleet, type FleetWanted } from "./fleet.ts";
import { openMemory } from "./memory.ts";

/** `host` as `DOCKER_HOST` has it, `certificates` a folder for TCP. */
export type Daemon = { host: string; certificates?: string | undefined };

/** `bind` is where clients come. */
export type DockerTarget = Daemon & FleetWanted & { bind: string };

/**
 * HAProxy on this machine before revisions that are containers; the network of these must be reachable from here.
 * `fence` is the lease's: one smaller than was seen is refused.
 */
export async function openDockerTarget(target: DockerTarget, { fence = 0 } = {}): Promise<Router & Runtime> {
  const { stateDir, bind } = target;
  const fleet = fleetOf(target);
  await fleet.resume();
  return haproxyBefore(dockerBacking(fleet, memoryOf(stateDir, fence)), { stateDir, bind });
}

/** What serves and how traffic is split; undefined while HAProxy does not run. */
export async function dockerStatus(target: DockerTarget): Promise<SiteState | undefined> {
  const { stateDir, bind } = target;
  const pid = await haproxyPid(haproxyFolder(stateDir));
  if (pid === undefined) return undefined;
  return { address: `http://${bind}`, pid, ...(await showFleet(fleetOf(target), memoryOf(stateDir))) };
}

/** Ends HAProxy and the containers, when nothing is under way or after `drainSeconds`; both come back when the target is opened. */
export async function dockerDown(target: DockerTarget, { drainSeconds }: { drainSeconds: number }): Promise<void> {
  await haproxyDown(haproxyFolder(target.stateDir), { drainSeconds });
  await fleetOf(target).halt(drainSeconds);
}

const Image = z.object({ Id: Digest });

/** The image that the daemon has under a name or a digest. Throws `E_STATE` when it has none. */
export async function imageOf({ host, certificates }: Daemon, reference: string): Promise<ImageCode> {
  const image = await openDocker(host, certificates).find(`/images/${reference}/json`, Image);
  if (image !== undefined) return { kind: "image", digest: image.Id, reference };
  throw new DeployError(
    "E_STATE",
    `Cannot use image ${reference}: the Docker daemon at ${host} does not have it; next: sluice image build`,
  );
}

function fleetOf({ host, certificates, ...wanted }: DockerTarget): Fleet {
  return new Fleet(openDocker(host, certificates), wanted);
}

function memoryOf(stateDir: string, fence = 0) {
  return openMemory(join(stateDir, "docker", "memory.db"), fence);
}

function haproxyFolder(stateDir: string): string {
  return join(stateDir, "haproxy");
}
