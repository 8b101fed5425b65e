import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DeployError } from "../spec/error.ts";
import { FreezePolicy } from "../spec/freeze.ts";
import type { ListedFile } from "../spec/manifest.ts";
import { AdmissionPolicy, Environment, LoadPolicy, type Policies, RolloutPolicy, SloPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import { digestFile, digestList } from "./digest.ts";

/** Reads every policy that bears on `environment` from folder `dir`; throws `E_USAGE` for a name that a file does not know. */
export async function readPolicies(dir: string, environment: string): Promise<Policies> {
  const known = await listEnvironments(dir);
  if (!known.includes(environment)) throw unknown("environment", environment, known, join(dir, "environments"));
  const paths = pathsFor(environment);
  const place = await readYaml(join(dir, paths.environment), Environment);
  const slo = await readYaml(join(dir, paths.slo), SloPolicy);
  const admission = await readYaml(join(dir, paths.admission), AdmissionPolicy);
  const load = await readYaml(join(dir, paths.load), LoadPolicy);
  const rollout = await readYaml(join(dir, paths.rollout), RolloutPolicy);
  const freeze = await readYaml(join(dir, paths.freeze), FreezePolicy);
  return {
    digest: digestList(await listPolicies(dir, environment)),
    environmentName: environment,
    environment: place,
    budgetDays: slo.budgetDays,
    slo: pick(slo.models, place.model, "model", join(dir, paths.slo)),
    admission: pick(admission.environments, environment, "environment", join(dir, paths.admission)),
    load: pick(load.profiles, place.load, "profile", join(dir, paths.load)),
    freeze: freeze.environments[environment] ?? [],
    strategy: pick(rollout.strategies, place.strategy, "strategy", join(dir, paths.rollout)),
  };
}

/** The policy files that bear on `environment`: a release's policy digest is over them. */
export function listPolicies(dir: string, environment: string): Promise<ListedFile[]> {
  const paths = Object.values(pathsFor(environment));
  return Promise.all(paths.map(async (path) => ({ path, ...(await digestFile(join(dir, path))) })));
}

function pathsFor(environment: string) {
  return {
    environment: `environments/${environment}.yaml`,
    slo: "slo.yaml",
    admission: "admission.yaml",
    load: "load.yaml",
    rollout: "rollout.yaml",
    trust: "trust.yaml",
    freeze: "freeze.yaml",
  };
}

/** Names of the environments in policies folder `dir`. */
export async function listEnvironments(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, "environments")).catch((cause: unknown) => {
    throw new DeployError("E_FILE", `Cannot read policies: folder ${join(dir, "environments")} does not exist`, {
      cause,
    });
  });
  return names.filter((name) => name.endsWith(".yaml")).map((name) => name.slice(0, -".yaml".length));
}

function pick<T>(entries: Readonly<Record<string, T>>, name: string, noun: string, path: string): T {
  const found = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (found === undefined) throw unknown(noun, name, Object.keys(entries), path);
  return found;
}

function unknown(noun: string, name: string, known: readonly string[], path: string): DeployError {
  return new DeployError("E_USAGE", `Cannot find ${noun} ${name} in ${path}: known are ${known.toSorted().join(", ")}`);
}
