import { openAsBlob } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DeployError } from "../../spec/error.ts";
import { type Descriptor, OciIndex, OciManifest } from "../../spec/oci.ts";
import { parseJson, readJson } from "../../spec/read.ts";
import { digestBytes } from "../digest.ts";
import { manifestType, pullManifest, pushBlob, pushManifest } from "./blob.ts";
import type { Ask } from "./registry.ts";

/** Pushes the one image of an OCI layout folder under `tag`, byte for byte. Returns its descriptor. */
export async function pushLayout(ask: Ask, layout: string, tag: string): Promise<Descriptor> {
  const [image] = (await readJson(join(layout, "index.json"), OciIndex)).manifests;
  if (image === undefined) throw new DeployError("E_FILE", `Cannot push ${layout}: it holds no image`);
  const bytes = new Uint8Array(await readFile(blobPath(layout, image.digest)));
  if (digestBytes(bytes) !== image.digest) {
    throw new DeployError(
      "E_DIGEST",
      `Cannot push ${layout}: digest is ${digestBytes(bytes)}, index says ${image.digest}`,
    );
  }
  const { config, layers } = parseJson(new TextDecoder().decode(bytes), OciManifest, image.digest);
  for (const blob of [config, ...layers]) {
    const content = await openAsBlob(blobPath(layout, blob.digest));
    await pushBlob(ask, { digest: blob.digest, size: content.size }, () => content);
  }
  const { descriptor } = await pushManifest(ask, tag, { mediaType: image.mediaType || manifestType, bytes });
  return descriptor;
}

/** Gives the image under `from` another tag: the same bytes, nothing is built or copied. */
export async function retag(ask: Ask, from: string, tag: string): Promise<Descriptor> {
  const found = await pullManifest(ask, from);
  if (found === undefined) throw new DeployError("E_USAGE", `Cannot find ${from} in the registry`);
  const { mediaType } = found.descriptor;
  return (await pushManifest(ask, tag, { mediaType, bytes: found.bytes })).descriptor;
}

function blobPath(layout: string, digest: string): string {
  return join(layout, "blobs", digest.replace(":", "/"));
}
