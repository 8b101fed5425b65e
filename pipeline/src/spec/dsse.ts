import { z } from "zod";

/** Standard base64 with padding, in the one way to write it: two texts never stand for the same bytes. */
export const Base64 = z
  .base64()
  .min(1)
  .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "expected canonical base64");

/**
 * A DSSE envelope (https://github.com/secure-systems-lab/dsse): what was signed, its type, and the signatures. Without any it
 * is a statement that nobody vouches for yet.
 */
export const Envelope = z.strictObject({
  payload: Base64,
  payloadType: z.string().min(1),
  signatures: z.array(z.strictObject({ sig: Base64, keyid: z.string().nullish() })),
});
export type Envelope = z.infer<typeof Envelope>;

/** The payload type of in-toto statements. */
export const statementType = "application/vnd.in-toto+json";
