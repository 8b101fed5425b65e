import type { Router, Runtime } from "../rollout/ports.ts";
import type { SiteState } from "../spec/site.ts";
import { openSite } from "../target/local/client.ts";
import { siteUp } from "../target/local/up.ts";
import type { Host } from "./host.ts";

/** The environment's target, up and reachable. `fence` is the lease's: the target refuses a smaller one. */
export interface Target {
  address: string;
  router: Router;
  runtime: Runtime;
}

/** Brings the environment's target up, or finds it running. */
export async function targetUp(host: Host): Promise<SiteState> {
  const { kind: _, ...wanted } = host.policies.environment.target;
  return siteUp({ stateDir: host.place.stateDir, ...wanted });
}

/** Opens the target for the holder of a lease. */
export async function openTarget(host: Host, fence: number): Promise<Target> {
  const { address } = await targetUp(host);
  const site = openSite(host.place.stateDir, { fence });
  return { address, router: site, runtime: site };
}
