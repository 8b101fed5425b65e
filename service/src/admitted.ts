import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { digestBundle } from "../../pipeline/src/release/bundle.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { Release } from "../../pipeline/src/spec/release.ts";
import type { Model } from "./model.ts";

/** Throws `E_DIGEST` unless what was loaded is what the record admitted: the model, and the bundle that this code is in. */
export async function demandAdmitted(release: Release, models: readonly Model[], codeUrl: string): Promise<void> {
  const { name, version, digest } = release.model;
  const loaded = models.find((model) => model.name === name && model.version === version);
  if (loaded?.digest !== digest)
    throw differs(release, `model ${name}@${version}`, loaded?.digest ?? "not loaded", digest);
  // From source, or in an image, the code is not a bundle of its own: nothing here to hold against the record.
  if (release.code.kind !== "bundle" || codeUrl.endsWith(".ts")) return;
  const code = await digestBundle(dirname(fileURLToPath(codeUrl)));
  if (code !== release.code.digest) throw differs(release, "bundle", code, release.code.digest);
}

function differs(release: Release, part: string, found: string, wanted: string): DeployError {
  return new DeployError(
    "E_DIGEST",
    `Cannot serve ${release.id}: digest of its ${part} is ${found}, record says ${wanted}`,
  );
}
