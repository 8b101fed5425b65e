import { z } from "zod";
import { ModelName, Version } from "./name.ts";

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "expected lower-case letters, digits and dashes");
const Pem = (what: string) => z.string().regex(new RegExp(`^-----BEGIN ${what}-----\n`), `expected a ${what} in PEM`);

/** When a signer is good. `revokedAt` in the past ends it for all it ever signed: a thief could have signed it too. */
const validity = {
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  revokedAt: z.iso.datetime().optional(),
};

const Key = z.strictObject({ publicKey: Pem("PUBLIC KEY"), ...validity });
const Root = z.strictObject({ certificate: Pem("CERTIFICATE"), ...validity });
/** A keyless signer: the certificate's subject (mail address or URI) and the issuer who vouched for it. */
const Identity = z.strictObject({ subject: z.string().min(1), issuer: z.url(), ...validity });

/**
 * Which of the signers above are good for an environment. `oldest` is the lowest version of a model that it still takes;
 * `signingKey` the path of the private key that `deploy` signs releases with, from the source folder: it is never committed.
 */
const Place = z.strictObject({
  unsigned: z.enum(["accept", "refuse"]),
  models: z.array(Name),
  releases: z.array(Name),
  oldest: z.record(ModelName, Version).default({}),
  maxAgeDays: z.int().positive().optional(),
  signingKey: z.string().min(1).optional(),
});
export type TrustPlace = z.infer<typeof Place>;

/** `policies/trust.yaml`: signers by name, and which of them each environment believes. */
export const TrustPolicy = z
  .strictObject({
    schema: z.literal("sluice/trust/v1"),
    keys: z.record(Name, Key).default({}),
    roots: z.record(Name, Root).default({}),
    identities: z.record(Name, Identity).default({}),
    sigstore: z.strictObject({ trustRoot: z.string().min(1) }).optional(),
    environments: z.record(Name, Place),
  })
  .superRefine(({ keys, roots, identities, environments }, context) => {
    const known = [keys, roots, identities].flatMap((signers) => Object.keys(signers));
    const twice = known.find((name, i) => known.indexOf(name) !== i);
    if (twice !== undefined) context.addIssue(`expected one signer named ${twice}`);
    for (const [place, { models, releases }] of Object.entries(environments)) {
      for (const name of [...models, ...releases]) {
        if (known.includes(name)) continue;
        const path = ["environments", place];
        context.addIssue({
          code: "custom",
          path,
          message: `unknown signer ${name}, known are ${known.join(", ") || "none"}`,
        });
      }
    }
  });
export type TrustPolicy = z.infer<typeof TrustPolicy>;

/** What a signature turned out to be. `bad`: it does not fit. `unknown`: nothing in the policy can vouch for it. */
export type SeenSignature =
  | { kind: "none" }
  | { kind: "bad"; reason: string }
  | { kind: "unknown"; reason: string }
  | { kind: "good"; signers: string[]; leftOut: string[] };

/** A signed thing to be judged: `signedAt` (milliseconds since the epoch) is known of releases only. */
export type Signed = {
  kind: "model" | "release";
  name: string;
  version: string;
  signature: SeenSignature;
  signedAt?: number;
};
