import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestBytes } from "../../../pipeline/src/release/digest.ts";
import { manifestType, pushBlob, pushManifest } from "../../../pipeline/src/release/oci/blob.ts";
import { openRegistry } from "../../../pipeline/src/release/oci/registry.ts";
import { runTool } from "../../../pipeline/src/stage/tool.ts";
import { startRegistry } from "../../support/registry.ts";

const repository = "mirror/trivy-db";
const types = {
  config: "application/vnd.aquasec.trivy.config.v1+json",
  layer: "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip",
} as const;

/** A registry that has the database of Trivy cache folder `cache`, as Trivy's own place has it. */
export async function aMirror(cache: string): Promise<{ repository: string } & AsyncDisposable> {
  const registry = await startRegistry();
  await pushDatabase(registry.host, cache);
  return { repository: `${registry.host}/${repository}:2`, [Symbol.asyncDispose]: registry.stop };
}

async function pushDatabase(host: string, cache: string): Promise<void> {
  const ask = openRegistry({ host, repository, plainHttp: true });
  const archive = join(cache, "db.tar.gz");
  await runTool("tar", ["-czf", archive, "-C", join(cache, "db"), "metadata.json", "trivy.db"], { timeoutMs: 60_000 });
  const put = async (mediaType: string, bytes: Uint8Array<ArrayBuffer>) => {
    const blob = { mediaType, digest: digestBytes(bytes), size: bytes.length };
    await pushBlob(ask, blob, () => bytes);
    return blob;
  };
  const config = await put(types.config, new TextEncoder().encode("{}"));
  const layer = await put(types.layer, new Uint8Array(await readFile(archive)));
  const annotated = { ...layer, annotations: { "org.opencontainers.image.title": "db.tar.gz" } };
  const document = { schemaVersion: 2, mediaType: manifestType, config, layers: [annotated] };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  await pushManifest(ask, "2", { mediaType: manifestType, bytes });
}
