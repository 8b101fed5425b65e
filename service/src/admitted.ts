import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { summarise } from "../../pipeline/src/release/listed.ts";
import { comparePart } from "../../pipeline/src/release/parts.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { Release } from "../../pipeline/src/spec/release.ts";
import type { Model } from "./model.ts";

/** Throws `E_DIGEST` unless what was loaded is what the record admitted: the model, and the bundle that this code is in. */
export async function demandAdmitted(release: Release, models: readonly Model[], codeUrl: string): Promise<void> {
  const { name, version, digest } = release.model;
  const loaded = models.find((model) => model.name === name && model.version === version);
  if (loaded?.digest !== digest) {
    const state = loaded?.digest ?? "not loaded";
    throw refused(release, `digest of its model ${name}@${version} is ${state}, record says ${digest}`);
  }
  // From source, or in an image, the code is not a bundle of its own: nothing here to hold against the record.
  if (release.code.kind !== "bundle" || codeUrl.endsWith(".ts")) return;
  const differences = await comparePart(join(dirname(fileURLToPath(codeUrl)), ".."), "bundle", release);
  if (differences.length > 0) throw refused(release, summarise(differences));
}

function refused(release: Release, state: string): DeployError {
  return new DeployError("E_DIGEST", `Cannot serve ${release.id}: ${state}`);
}
