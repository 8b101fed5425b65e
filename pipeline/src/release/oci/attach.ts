import { DeployError } from "../../spec/error.ts";
import { type Descriptor, OciIndex, OciManifest } from "../../spec/oci.ts";
import { parseJson } from "../../spec/read.ts";
import { digestBytes } from "../digest.ts";
import { indexType, manifestType, pullManifest, pushBlob, pushManifest } from "./blob.ts";
import type { Ask } from "./registry.ts";

const emptyType = "application/vnd.oci.empty.v1+json";

/**
 * Attaches `bytes` to the image `subject` as an OCI referrer. A registry without the referrers API gets the fallback tag
 * `sha256-<digest>`. Attaching the same again changes nothing.
 */
export async function attach(
  ask: Ask,
  subject: Descriptor,
  { artifactType, bytes }: { artifactType: string; bytes: Uint8Array<ArrayBuffer> },
): Promise<Descriptor> {
  const empty = new TextEncoder().encode("{}");
  const config = { mediaType: emptyType, digest: digestBytes(empty), size: empty.length };
  const layer = { mediaType: artifactType, digest: digestBytes(bytes), size: bytes.length };
  await pushBlob(ask, config, () => empty);
  await pushBlob(ask, layer, () => bytes);
  const document = { schemaVersion: 2, mediaType: manifestType, artifactType, config, layers: [layer], subject };
  const manifest = encode(document);
  const pushed = await pushManifest(ask, digestBytes(manifest), { mediaType: manifestType, bytes: manifest });
  const descriptor: Descriptor = { ...pushed.descriptor, artifactType };
  if (!pushed.subjectKnown) await list(ask, subject, descriptor);
  return descriptor;
}

/** The bytes attached to `subject` as `artifactType`, newest last. */
export async function readAttached(
  ask: Ask,
  subject: Descriptor,
  artifactType: string,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const found = (await listed(ask, subject)).filter((one) => one.artifactType === artifactType);
  return Promise.all(found.map((one) => readOne(ask, one)));
}

async function readOne(ask: Ask, { digest }: Descriptor): Promise<Uint8Array<ArrayBuffer>> {
  const manifest = await pullManifest(ask, digest);
  const layer = manifest && parseJson(new TextDecoder().decode(manifest.bytes), OciManifest, digest).layers[0];
  if (layer === undefined || manifest?.descriptor.digest !== digest) {
    throw new DeployError("E_DIGEST", `Cannot use what is attached: ${digest} is not there, or is something else`);
  }
  const answer = await ask("GET", `blobs/${layer.digest}`, { expect: [200] });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (digestBytes(bytes) === layer.digest) return bytes;
  throw new DeployError("E_DIGEST", `Cannot use blob ${layer.digest}: its digest is ${digestBytes(bytes)}`);
}

async function listed(ask: Ask, { digest }: Descriptor): Promise<Descriptor[]> {
  const answer = await ask("GET", `referrers/${digest}`, { expect: [200, 404] });
  if (answer.status === 200) return parseJson(await answer.text(), OciIndex, "referrers").manifests;
  return (await readFallback(ask, digest)).manifests;
}

async function readFallback(ask: Ask, digest: string): Promise<OciIndex> {
  const found = await pullManifest(ask, fallbackTag(digest));
  return found === undefined ? { manifests: [] } : parseJson(new TextDecoder().decode(found.bytes), OciIndex, digest);
}

async function list(ask: Ask, { digest }: Descriptor, added: Descriptor): Promise<void> {
  const { manifests } = await readFallback(ask, digest);
  if (manifests.some((known) => known.digest === added.digest)) return;
  const document = { schemaVersion: 2, mediaType: indexType, manifests: [...manifests, added] };
  await pushManifest(ask, fallbackTag(digest), { mediaType: indexType, bytes: encode(document) });
}

function fallbackTag(digest: string): string {
  return digest.replace(":", "-");
}

function encode(document: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document));
}
