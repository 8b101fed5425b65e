import { z } from "zod";
import { Digest } from "./digest.ts";

/**
 * What a key may do. `predict`: ask models; `read`: models, release, OpenAPI and docs; `metrics`: scrape;
 * `admin`: reserved for the operator's own actions. No scope implies another.
 */
export const Scope = z.enum(["predict", "read", "metrics", "admin"]);
export type Scope = z.infer<typeof Scope>;

/** The public half of a key; also the name of its holder in logs and limits. */
export const KeyId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "expected a lower-case letter, then up to 30 letters, digits and dashes");

/** One key as it is kept: never the key itself, only its digest. */
export const KeyEntry = z.strictObject({
  id: KeyId,
  digest: Digest,
  scopes: z.array(Scope).min(1),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
  revokedAt: z.iso.datetime({ offset: true }).optional(),
});
export type KeyEntry = z.infer<typeof KeyEntry>;

/** `keys.json`: whom the service lets in. An empty list lets nobody in. */
export const KeyFile = z
  .strictObject({ schema: z.literal("sluice/keys/v1"), keys: z.array(KeyEntry).max(10_000) })
  .refine((file) => new Set(file.keys.map((key) => key.id)).size === file.keys.length, {
    message: "expected each key id once",
    path: ["keys"],
  });
export type KeyFile = z.infer<typeof KeyFile>;
