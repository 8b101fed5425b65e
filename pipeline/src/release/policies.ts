import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConsumerPolicy } from "../spec/consumers.ts";
import { DeployError } from "../spec/error.ts";
import { FreezePolicy } from "../spec/freeze.ts";
import type { ListedFile } from "../spec/manifest.ts";
import {
  AdmissionPolicy,
  Environment,
  LoadPolicy,
  type Policies,
  RolloutPolicy,
  SloPolicy,
  type Strategy,
} from "../spec/policy.ts";
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
    strategy: withChanges(pick(rollout.strategies, place.strategy, "strategy", join(dir, paths.rollout)), place),
  };
}

/** How many answers a release changes is known of the release, not of the way in which traffic is let in. */
function withChanges(strategy: Strategy, { maxChangedRate = strategy.judge.maxChangedRate }: Environment): Strategy {
  return { ...strategy, judge: { ...strategy.judge, maxChangedRate } };
}

/** Every policy file that decides about a release for `environment`: its policy digest is over them. */
export async function listPolicies(dir: string, environment: string): Promise<ListedFile[]> {
  const paths = [...Object.values(pathsFor(environment)), ...(await optionalPaths(dir))];
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

/** Policies that a folder may lack, where they are there, and the examples that consumers recorded. */
async function optionalPaths(dir: string): Promise<string[]> {
  const present = await readdir(dir);
  const found = ["consumers.yaml", "images.yaml", "scan.yaml"].filter((name) => present.includes(name));
  if (!found.includes("consumers.yaml")) return found;
  const { models } = await readYaml(join(dir, "consumers.yaml"), ConsumerPolicy);
  const examples = Object.values(models).flatMap((consumers) => consumers.flatMap((one) => one.examples ?? []));
  return [...found, ...new Set(examples)];
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
