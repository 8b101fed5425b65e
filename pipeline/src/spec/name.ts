import { z } from "zod";

/** A model's name: lower-case letters, digits, dashes; also a folder's name. */
export const ModelName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "expected lower-case letters, digits and dashes");

/** A model's version: semantic version, also a folder's name. */
export const Version = z
  .string()
  .regex(/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]{1,64})?$/, "expected a semantic version such as 3.3.0");

/** `magika@3.3.0`: a folder `magika/3.3.0` of the models folder. */
export const ModelRef = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}@\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]{1,64})?$/, "expected name@version such as magika@3.3.0");
export type ModelRef = z.infer<typeof ModelRef>;

/** Splits a `ModelRef` into its parts. */
export function splitModelRef(ref: ModelRef): { name: string; version: string } {
  const at = ref.indexOf("@");
  return { name: ref.slice(0, at), version: ref.slice(at + 1) };
}

/** A path inside a folder: forward slashes, no `..`, no `.`, not absolute, NFC. */
export const RelativePath = z
  .string()
  .min(1)
  .max(255)
  .refine(
    (path) =>
      !path.startsWith("/") &&
      !/[\\\0]/.test(path) &&
      path.normalize("NFC") === path &&
      path.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "expected a relative path with forward slashes and without . or ..",
  );
