import { join } from "node:path";
import type { Router, Runtime } from "../rollout/ports.ts";
import { DeployError } from "../spec/error.ts";
import type { SiteState } from "../spec/site.ts";
import { openHaproxyTarget } from "../target/haproxy/target.ts";
import { haproxyDown } from "../target/haproxy/up.ts";
import { openSite } from "../target/local/client.ts";
import { siteDown, siteUp } from "../target/local/up.ts";
import type { Host } from "./host.ts";

/** The environment's target, up and reachable. */
export interface Target {
  address: string;
  router: Router;
  runtime: Runtime;
}

/** Brings up the site that supervises the revisions, or finds it running. */
export async function targetUp(host: Host): Promise<SiteState> {
  const { target } = host.policies.environment;
  const { stateDir } = host.place;
  switch (target.kind) {
    case "local":
      return siteUp({ stateDir, host: target.host, port: target.port, workers: target.workers });
    case "haproxy":
      return siteUp({ stateDir, host: "127.0.0.1", port: 0, workers: target.workers });
    case "bound":
      throw onlyImages(host);
  }
}

/** Drains and ends what runs of the target; its state stays. */
export async function targetDown(host: Host): Promise<void> {
  const { stateDir } = host.place;
  const { environment, strategy } = host.policies;
  if (environment.target.kind === "haproxy") {
    await haproxyDown(join(stateDir, "haproxy"), { drainSeconds: strategy.drainSeconds });
  }
  await siteDown(stateDir);
}

/** Opens the target for the holder of a lease. `fence` is the lease's: the target refuses a smaller one. */
export async function openTarget(host: Host, fence: number): Promise<Target> {
  const { target } = host.policies.environment;
  const { stateDir } = host.place;
  const { address } = await targetUp(host);
  switch (target.kind) {
    case "local": {
      const site = openSite(stateDir, { fence });
      return { address, router: site, runtime: site };
    }
    case "haproxy": {
      const haproxy = await openHaproxyTarget({ stateDir, bind: target.bind, workers: target.workers }, { fence });
      return { address: `http://${target.bind}`, router: haproxy, runtime: haproxy };
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
