import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readPolicies } from "../release/policies.ts";
import { systemClock } from "../rollout/clock.ts";
import { fileStore } from "../rollout/file-store.ts";
import type { Store } from "../rollout/ports.ts";
import type { Policies } from "../spec/policy.ts";
import type { Place } from "./options.ts";
import { type LocalKeys, localKeys } from "./secrets.ts";
import { readTrustFor, type Trust } from "./trust.ts";

/** Sluice's own checkout or package: the service's code and its dependencies come from here. */
export const home = fileURLToPath(new URL("../../../", import.meta.url));

/** This machine as a place to deploy to. */
export interface Host {
  place: Place;
  policies: Policies;
  trust: Trust;
  keys: LocalKeys;
  store: Store;
  releasesDir: string;
  home: string;
  serviceDir: string;
  modules: string;
}

/** Reads the policies and opens the state folder; makes the local keys at the first use. */
export async function openHost(place: Place): Promise<Host> {
  const policies = await readPolicies(place.policiesDir, place.environment);
  return {
    place,
    policies,
    trust: await readTrustFor(place),
    keys: await localKeys(place.stateDir),
    store: fileStore(join(place.stateDir, "rollouts", place.environment), systemClock),
    releasesDir: join(place.stateDir, "releases"),
    home,
    serviceDir: join(home, "service"),
    modules: join(home, "node_modules"),
  };
}

/** The folder of one rollout's journal and reports. */
export function rolloutDir(host: Host, rollout: string): string {
  return join(host.place.stateDir, "rollouts", host.place.environment, rollout);
}
