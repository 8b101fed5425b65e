import { z } from "zod";
import { Base64, Envelope } from "./dsse.ts";
import { RelativePath } from "./name.ts";

/**
 * OpenSSF model signing, version 1.0 (https://github.com/ossf/model-signing-spec): a Sigstore bundle around a DSSE envelope
 * around an in-toto statement that lists every file of a model.
 */
export const predicateType = "https://model_signing/signature/v1.0";

const Hex = z.string().regex(/^(?:[0-9a-f]{2})+$/, "expected lower-case hex digits");
const Certificate = z.looseObject({ rawBytes: Base64 });

/** An entry of a Rekor transparency log, as the Sigstore bundle has it; 64-bit integers are strings. */
export const LogEntry = z.looseObject({
  logIndex: z.string().optional(),
  logId: z.looseObject({ keyId: Base64 }).optional(),
  kindVersion: z.looseObject({ kind: z.string(), version: z.string() }).optional(),
  integratedTime: z.string().optional(),
  inclusionPromise: z.looseObject({ signedEntryTimestamp: Base64 }).optional(),
  inclusionProof: z
    .looseObject({
      logIndex: z.string(),
      rootHash: Base64,
      treeSize: z.string(),
      hashes: z.array(Base64).default([]),
      checkpoint: z.looseObject({ envelope: z.string() }).optional(),
    })
    .optional(),
  canonicalizedBody: Base64.optional(),
});
export type LogEntry = z.infer<typeof LogEntry>;

/** Timestamps by RFC 3161, in DER: with Rekor 2 they alone vouch for the time. */
const Timestamps = z.looseObject({
  rfc3161Timestamps: z
    .array(z.looseObject({ signedTimestamp: Base64 }))
    .max(8)
    .default([]),
});
const stamped = { tlogEntries: z.array(LogEntry).optional(), timestampVerificationData: Timestamps.optional() };
const PublicKey = z.looseObject({ hint: z.string().min(1).optional(), rawBytes: z.string().optional() });

/** Exactly one of a key's fingerprint, a certificate chain (leaf first), or a short-lived certificate with log entries. */
const Material = z.union([
  z.strictObject({ publicKey: PublicKey, ...stamped }),
  z.strictObject({
    x509CertificateChain: z.looseObject({ certificates: z.array(Certificate).min(1).max(8) }),
    ...stamped,
  }),
  z.strictObject({ certificate: Certificate, ...stamped, tlogEntries: z.array(LogEntry).min(1).max(8) }),
]);

/** `model.sig`. A Sigstore bundle has exactly one signature. */
export const SignatureBundle = z.strictObject({
  mediaType: z.enum([
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
  ]),
  verificationMaterial: Material,
  dsseEnvelope: Envelope.refine(({ signatures }) => signatures.length === 1, "expected exactly one signature"),
});
export type SignatureBundle = z.infer<typeof SignatureBundle>;

/**
 * One file, or with shards one range of it as `path:start:end`. The specification names a shard's algorithm `sha256`;
 * Python's `model_signing` writes `sha256-sharded-<bytes>`, and accepts nothing else.
 */
const Resource = z.looseObject({
  name: z.string().min(1),
  digest: Hex,
  algorithm: z.string().regex(/^sha256(?:-sharded-[1-9]\d*)?$/, "expected sha256"),
});
export type Resource = z.infer<typeof Resource>;

const common = {
  hash_type: z.literal("sha256"),
  allow_symlinks: z.literal(false),
  ignore_paths: z.array(RelativePath).optional(),
};

/** How files became resources. Hashes other than SHA-256 and followed links are not supported. */
export const Serialization = z.discriminatedUnion("method", [
  z.strictObject({ method: z.literal("files"), ...common }),
  z.strictObject({ method: z.literal("shards"), shard_size: z.int().positive(), ...common }),
]);
export type Serialization = z.infer<typeof Serialization>;

/** What the envelope's payload holds. The subject's digest is over all resources' digests. */
export const SignedModel = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z.tuple([z.looseObject({ name: z.string().min(1), digest: z.looseObject({ sha256: Hex }) })]),
  predicateType: z.literal(predicateType),
  predicate: z.strictObject({ resources: z.array(Resource).min(1), serialization: Serialization }),
});
export type SignedModel = z.infer<typeof SignedModel>;
