import type { Directory } from "@dagger.io/dagger";
import { DeployError } from "../spec/error.ts";
import { AdmissionPolicy, Environment } from "../spec/policy.ts";
import { parseYaml } from "../spec/read.ts";
import type { StageName } from "../spec/report.ts";

/** What an environment's files say: the release to deploy, the stages that must pass, and whether the engine can reach its target. */
export async function readEnvironment(
  source: Directory,
  name: string,
): Promise<{ release: string; bootstrap: string; require: readonly StageName[]; isReached: boolean }> {
  const path = `policies/environments/${name}.yaml`;
  const known = (await source.entries({ path: "policies/environments" })).map((entry) => entry.replace(/\.yaml$/, ""));
  if (!known.includes(name)) {
    throw new DeployError("E_USAGE", `Cannot find environment ${name}: known are ${known.join(", ")}`);
  }
  const { release, bootstrap, target } = parseYaml(await source.file(path).contents(), Environment, path);
  const admission = parseYaml(
    await source.file("policies/admission.yaml").contents(),
    AdmissionPolicy,
    "admission.yaml",
  );
  const require = admission.environments[name]?.require;
  if (require === undefined) {
    const listed = Object.keys(admission.environments).join(", ");
    throw new DeployError("E_USAGE", `Cannot find environment ${name} in admission.yaml: known are ${listed}`);
  }
  return { release, bootstrap, require, isReached: target.kind === "bound" };
}
