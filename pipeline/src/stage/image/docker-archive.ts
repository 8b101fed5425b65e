import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { digestBytes, digestFile } from "../../release/digest.ts";
import { DeployError } from "../../spec/error.ts";
import type { Descriptor } from "../../spec/oci.ts";
import { readJson } from "../../spec/read.ts";

// Docker's own JSON: not strict, since its versions add keys.
const DockerManifest = z.array(z.object({ Config: z.string().min(1), Layers: z.array(z.string().min(1)).min(1) }));

const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** Makes the OCI layout of an unpacked `docker save` of Docker before 25, in place: the same configuration and layers. */
export async function layoutFromDocker(folder: string): Promise<void> {
  const [image, another] = await readJson(join(folder, "manifest.json"), DockerManifest);
  if (image === undefined || another !== undefined) {
    throw new DeployError("E_FILE", "Cannot use archive of docker save: expected one image in it");
  }
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  const config = await keep(folder, image.Config, types.config);
  const layers: Descriptor[] = [];
  for (const layer of image.Layers) layers.push(await keep(folder, layer, types.layer));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config, layers }));
  const digest = digestBytes(manifest);
  await writeFile(blobPath(folder, digest), manifest);
  const index = { schemaVersion: 2, manifests: [{ mediaType: types.manifest, digest, size: manifest.length }] };
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
}

/** Moves one file of the archive to where a layout has it. */
async function keep(folder: string, path: string, mediaType: string): Promise<Descriptor> {
  const from = join(folder, path);
  const { digest, size } = await digestFile(from);
  await rename(from, blobPath(folder, digest));
  return { mediaType, digest, size };
}

function blobPath(folder: string, digest: string): string {
  return join(folder, "blobs", digest.replace(":", "/"));
}
