import type { Digest } from "../../spec/digest.ts";
import type { Descriptor } from "../../spec/oci.ts";
import { digestBytes } from "../digest.ts";
import type { Ask } from "./registry.ts";

/** Uploads bytes that the registry does not have yet. `body` is asked for anew when a request is sent again. */
export async function pushBlob(
  ask: Ask,
  { digest, size }: { digest: Digest; size: number },
  body: () => BodyInit,
): Promise<void> {
  const known = await ask("HEAD", `blobs/${digest}`, { expect: [200, 404] });
  if (known.status === 200) return;
  const begun = await ask("POST", "blobs/uploads/", { expect: [202], headers: { "content-length": "0" } });
  const place = new URL(begun.headers.get("location") ?? "", begun.url);
  place.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
  await ask("PUT", place.href, { expect: [201], headers, body });
}

/** Uploads a manifest under `name`, a tag or its own digest. */
export async function pushManifest(
  ask: Ask,
  name: string,
  { mediaType, bytes }: { mediaType: string; bytes: Uint8Array<ArrayBuffer> },
): Promise<{ descriptor: Descriptor; subjectKnown: boolean }> {
  const headers = { "content-type": mediaType };
  const answer = await ask("PUT", `manifests/${name}`, { expect: [201], headers, body: () => bytes });
  const descriptor = { mediaType, digest: digestBytes(bytes), size: bytes.length };
  return { descriptor, subjectKnown: answer.headers.has("oci-subject") };
}

/** The manifest under a tag or digest, its bytes and media type; undefined when there is none. */
export async function pullManifest(
  ask: Ask,
  name: string,
): Promise<{ descriptor: Descriptor; bytes: Uint8Array<ArrayBuffer> } | undefined> {
  const answer = await ask("GET", `manifests/${name}`, { expect: [200, 404], headers: { accept } });
  if (answer.status === 404) return undefined;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const mediaType = answer.headers.get("content-type") ?? manifestType;
  return { descriptor: { mediaType, digest: digestBytes(bytes), size: bytes.length }, bytes };
}

/** Media types of OCI manifests and indexes. */
export const manifestType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const accept = [manifestType, indexType, docker].join(", ");
