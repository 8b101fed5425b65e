import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import type { Digest } from "../../pipeline/src/spec/digest.ts";

const type = "application/vnd.oci.image.manifest.v1+json";

/** A tiny OCI image layout in folder `path`; `content` makes it differ from another one. */
export async function writeLayout(path: string, content: string): Promise<Digest> {
  await mkdir(join(path, "blobs/sha256"), { recursive: true });
  const put = async (mediaType: string, text: string) => {
    const bytes = new TextEncoder().encode(text);
    const digest = digestBytes(bytes);
    await writeFile(join(path, "blobs", digest.replace(":", "/")), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const config = await put("application/vnd.oci.image.config.v1+json", "{}");
  const layers = [await put("application/vnd.oci.image.layer.v1.tar", content)];
  const manifest = await put(type, JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers }));
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  return manifest.digest;
}
