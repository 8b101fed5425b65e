import { z } from "zod";
import { BudgetReading } from "./budget.ts";
import { Digest, shortDigest } from "./digest.ts";
import { ListedFile } from "./manifest.ts";
import { ModelName, Version } from "./name.ts";
import { Report, StageName } from "./report.ts";

/** A container image as code: `digest` is what a daemon or registry knows it by. */
const ImageCode = z.strictObject({ kind: z.literal("image"), digest: Digest, reference: z.string().min(1) });
export type ImageCode = z.infer<typeof ImageCode>;

/** The code that serves: a container image, or on the host surface a bundle folder. */
const Code = z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("bundle"), digest: Digest }), ImageCode]);

/** One release: code + model + policies. Its `id` is derived from the three digests, see `releaseId`. */
export const Release = z.strictObject({
  id: z.string().regex(/^[a-z][a-zA-Z0-9.-]{0,120}$/),
  model: z.strictObject({ name: ModelName, version: Version, digest: Digest }),
  code: Code,
  policy: z.strictObject({ digest: Digest }),
});
export type Release = z.infer<typeof Release>;

/** `files.json` beside a staged release: the files that the digests of its bundle (none for an image) and its policies are over. */
export const ReleaseFiles = z.strictObject({
  schema: z.literal("sluice/release-files/v1"),
  bundle: z.array(ListedFile),
  policies: z.array(ListedFile).min(1),
});
export type ReleaseFiles = z.infer<typeof ReleaseFiles>;

/** `magika-3.3.0-0123456789ab`: readable, usable as a folder's name, and different when any digest differs. */
export function releaseId(name: string, version: string, digest: Digest): string {
  return `${name}-${version}-${shortDigest(digest)}`;
}

/**
 * What was proven before a release was admitted. `required` are the stages that had to pass: all, where it is not there.
 * `admittedAt` is RFC 3339.
 */
export const ReleaseRecord = z.strictObject({
  schema: z.literal("sluice/release/v1"),
  release: Release,
  environment: z.string().min(1),
  admittedAt: z.iso.datetime(),
  reports: z.array(Report),
  required: z.array(StageName).exactOptional(),
  budget: BudgetReading.exactOptional(),
});
export type ReleaseRecord = z.infer<typeof ReleaseRecord>;
