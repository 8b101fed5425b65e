import { join } from "node:path";
import type { Router, Runtime } from "../rollout/ports.ts";
import { DeployError } from "../spec/error.ts";
import type { SiteState } from "../spec/site.ts";
import { dockerDown, dockerStatus, openDockerTarget } from "../target/docker/target.ts";
import { openHaproxyTarget } from "../target/haproxy/target.ts";
import { haproxyDown } from "../target/haproxy/up.ts";
import { openSite } from "../target/local/client.ts";
import { siteDown, siteStatus, siteUp } from "../target/local/up.ts";
import { dockerTargetOf } from "./docker.ts";
import type { Host } from "./host.ts";

/** The environment's target, up and reachable. */
export interface Target {
  address: string;
  router: Router;
  runtime: Runtime;
}

/** Brings up what starts the revisions and takes the traffic, or finds it running. */
export async function targetUp(host: Host): Promise<SiteState | undefined> {
  const { target } = host.policies.environment;
  const { stateDir } = host.place;
  switch (target.kind) {
    case "local":
      return siteUp({ stateDir, host: target.host, port: target.port, workers: target.workers });
    case "haproxy":
      return siteUp({ stateDir, host: "127.0.0.1", port: 0, workers: target.workers });
    case "docker":
      await openDockerTarget(await dockerTargetOf(host, target));
      return targetStatus(host);
    case "bound":
      throw onlyImages(host);
  }
}

/** What runs and how traffic is split; undefined while the target is down. */
export async function targetStatus(host: Host): Promise<SiteState | undefined> {
  const { target } = host.policies.environment;
  if (target.kind === "docker") return dockerStatus(await dockerTargetOf(host, target));
  return siteStatus(host.place.stateDir);
}

/** Drains and ends what runs of the target; its state stays. */
export async function targetDown(host: Host): Promise<void> {
  const { stateDir } = host.place;
  const { target } = host.policies.environment;
  const { drainSeconds } = host.policies.strategy;
  if (target.kind === "docker") return dockerDown(await dockerTargetOf(host, target), { drainSeconds });
  if (target.kind === "haproxy") await haproxyDown(join(stateDir, "haproxy"), { drainSeconds });
  await siteDown(stateDir);
}

/** Opens the target for the holder of a lease. `fence` is the lease's: the target refuses a smaller one. */
export async function openTarget(host: Host, fence: number): Promise<Target> {
  const { target } = host.policies.environment;
  const { stateDir } = host.place;
  switch (target.kind) {
    case "local": {
      const { address } = await siteUp({ stateDir, host: target.host, port: target.port, workers: target.workers });
      const site = openSite(stateDir, { fence });
      return { address, router: site, runtime: site };
    }
    case "haproxy": {
      const haproxy = await openHaproxyTarget({ stateDir, bind: target.bind, workers: target.workers }, { fence });
      return { address: `http://${target.bind}`, router: haproxy, runtime: haproxy };
    }
    case "docker": {
      const docker = await openDockerTarget(await dockerTargetOf(host, target), { fence });
      return { address: `http://${target.bind}`, router: docker, runtime: docker };
    }
    case "bound":
      throw onlyImages(host);
  }
}

/** Servers of another machine run images: nothing of this one can be started there. */
function onlyImages({ place: { environment } }: Host): DeployError {
  return new DeployError(
    "E_USAGE",
    `Cannot deploy to ${environment} from here: its servers run published images; next: sluice image deploy ADDRESS`,
  );
}
