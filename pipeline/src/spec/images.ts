import { z } from "zod";
import { Digest } from "./digest.ts";
import { ImageLimits } from "./image.ts";

/** What an image is used for. */
export const ImageUse = z.enum(["build", "runtime", "toolbox", "trivy", "k6", "haproxy"]);
export type ImageUse = z.infer<typeof ImageUse>;

/** `reference` is a repository and a tag; `digest` is what `sluice image lock` found it to be. */
const Image = z.strictObject({
  reference: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9./_-]*(?::\d+\/[a-z0-9./_-]+)?:[\w.-]+$/,
      "expected a repository and a tag such as debian:12-slim",
    )
    .refine((reference) => !reference.endsWith(":latest"), "expected a tag that says a version, not latest"),
  digest: Digest.optional(),
});

/** `policies/images.yaml`: every image that the pipeline pulls. */
export const Images = z.strictObject({
  schema: z.literal("sluice/images/v1"),
  images: z.record(ImageUse, Image),
  limits: ImageLimits,
});
export type Images = z.infer<typeof Images>;

/** The address to pull for `use`: by digest when it is locked. */
export function addressOf({ images }: Images, use: ImageUse): string {
  const { reference, digest } = images[use];
  return digest === undefined ? reference : `${reference}@${digest}`;
}
