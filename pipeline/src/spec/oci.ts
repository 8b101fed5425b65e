import { z } from "zod";
import { Digest } from "./digest.ts";
import { DeployError } from "./error.ts";

// OCI's own JSON: not strict, since builders and registries add keys.

/** What a registry keeps under a digest. `size` in bytes. */
export const Descriptor = z.object({
  mediaType: z.string().min(1),
  digest: Digest,
  size: z.int().nonnegative(),
  artifactType: z.string().exactOptional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

/** An image's manifest, or that of something attached to one. */
export const OciManifest = z.object({
  mediaType: z.string().exactOptional(),
  config: Descriptor,
  layers: z.array(Descriptor).min(1),
});
export type OciManifest = z.infer<typeof OciManifest>;

/** A list of manifests: an archive's one image, or what is attached to a digest. */
export const OciIndex = z.object({ manifests: z.array(Descriptor) });
export type OciIndex = z.infer<typeof OciIndex>;

/** A repository in a registry, and a tag or digest in it. */
export type Reference = { host: string; repository: string; name: string };

const shape =
  /^(?<host>[a-z0-9.-]+(?::\d+)?)\/(?<repository>[a-z0-9._/-]+?)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/** Splits `registry.example:5000/team/app:tag@sha256:…`; a digest counts more than a tag. Throws `E_USAGE`. */
export function parseReference(text: string): Reference {
  const { host, repository, tag, digest } = shape.exec(text)?.groups ?? {};
  const name = digest ?? tag;
  if (host === undefined || repository === undefined || name === undefined) {
    throw new DeployError(
      "E_USAGE",
      `Cannot use address ${text}: expected host/repository:tag or host/repository@sha256:…`,
    );
  }
  return { host, repository, name };
}
