import { z } from "zod";
import { Digest } from "./digest.ts";

/** Attached to an image each time that it becomes an environment's: what it followed, and when. */
export const Promotion = z.strictObject({
  schema: z.literal("sluice/promotion/v1"),
  environment: z.string().min(1),
  digest: Digest,
  previous: Digest.exactOptional(),
  at: z.iso.datetime(),
});
export type Promotion = z.infer<typeof Promotion>;

/** Media types of what goes along with an image. */
export const attachedTypes = {
  record: "application/vnd.sluice.release.v1+json",
  promotion: "application/vnd.sluice.promotion.v1+json",
  sbom: "application/vnd.cyclonedx+json",
  attestation: "application/vnd.in-toto+json",
} as const;
