import { z } from "zod";
import { Base64 } from "./dsse.ts";

const ValidFor = z.looseObject({ start: z.iso.datetime().optional(), end: z.iso.datetime().optional() });

/** A transparency log: its key in DER, and its id, which is the key's SHA-256. */
const Log = z.looseObject({
  publicKey: z.looseObject({ rawBytes: Base64, keyDetails: z.string().optional(), validFor: ValidFor.optional() }),
  logId: z.looseObject({ keyId: Base64 }),
});

/** A certificate authority: its chain, root last, each in DER. */
const Authority = z.looseObject({
  certChain: z.looseObject({ certificates: z.array(z.looseObject({ rawBytes: Base64 })).min(1) }),
  validFor: ValidFor.optional(),
});

/** A Sigstore `trusted_root.json`: the certificate authorities and logs that keyless signatures are held against. */
export const TrustedRoot = z.looseObject({
  mediaType: z.string().regex(/^application\/vnd\.dev\.sigstore\.trustedroot/, "expected a Sigstore trusted root"),
  tlogs: z.array(Log).min(1),
  certificateAuthorities: z.array(Authority).min(1),
  ctlogs: z.array(Log).min(1),
  timestampAuthorities: z.array(Authority).default([]),
});
export type TrustedRoot = z.infer<typeof TrustedRoot>;

/** What Rekor 2 logged of a DSSE envelope: the digest of what was signed, the signature, and the signer's certificate, in base64. */
export const LoggedSignature = z.looseObject({
  kind: z.literal("hashedrekord"),
  apiVersion: z.literal("0.0.2"),
  spec: z.looseObject({
    hashedRekordV002: z.looseObject({
      data: z.looseObject({ algorithm: z.enum(["SHA2_256", "SHA2_384", "SHA2_512"]), digest: Base64 }),
      signature: z.looseObject({
        content: Base64,
        verifier: z.looseObject({ x509Certificate: z.looseObject({ rawBytes: Base64 }) }),
      }),
    }),
  }),
});

/** What Rekor logged of a DSSE envelope, version 0.0.1: digests in hex, `verifier` the signer's certificate in PEM as base64. */
export const LoggedEnvelope = z.looseObject({
  kind: z.literal("dsse"),
  apiVersion: z.literal("0.0.1"),
  spec: z.looseObject({
    payloadHash: z.looseObject({ algorithm: z.literal("sha256"), value: z.string() }),
    signatures: z.tuple([z.looseObject({ signature: Base64, verifier: Base64 })]),
  }),
});
