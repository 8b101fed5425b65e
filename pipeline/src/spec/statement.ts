import { z } from "zod";
import { Digest } from "./digest.ts";
import { Result } from "./journal.ts";
import { StageName } from "./report.ts";

/** The predicate of a release's attestation: SLSA's verification summary, extended by `evidence`. */
export const summaryType = "https://slsa.dev/verification_summary/v1";

const DigestSet = z.looseObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits") });
const Subject = z.strictObject({ name: z.enum(["code", "model", "policies"]), digest: DigestSet });
const Resource = z.strictObject({ uri: z.string().min(1), digest: DigestSet });

/** One stage's report, by the digest of its JSON as the record has it. */
const ReportEvidence = z.strictObject({
  stage: StageName,
  verdict: z.enum(["pass", "fail", "inconclusive", "error"]),
  figure: z.string(),
  digest: Digest,
});

/** What admitted a release, in short: `record` is the digest of the whole record's JSON with sorted keys. */
export const Proof = z.strictObject({
  environment: z.string().min(1),
  admittedAt: z.iso.datetime(),
  record: Digest,
  reports: z.array(ReportEvidence),
});
export type Proof = z.infer<typeof Proof>;

/** What the golden replay saw on the machine that verified: compare it with other machines' before drift hurts. */
const Fingerprint = z.strictObject({
  cpu: z.string(),
  onnxruntime: z.string(),
  runtime: z.string(),
  largestDeviation: z.number().nonnegative().nullable(),
});
export type Fingerprint = z.infer<typeof Fingerprint>;

/** How the rollout of the release ended. `at` is RFC 3339. */
const RolloutEvidence = z.strictObject({
  id: z.string().min(1),
  result: Result,
  reason: z.string(),
  at: z.iso.datetime(),
});
export type RolloutEvidence = z.infer<typeof RolloutEvidence>;

const Evidence = z.strictObject({
  release: z.string().min(1),
  model: z.string().min(1),
  environment: z.string().min(1),
  /** Of the record's JSON with sorted keys. */
  record: Digest,
  by: z.string().min(1),
  tools: z.record(z.string(), z.string()),
  reports: z.array(ReportEvidence),
  fingerprint: Fingerprint.optional(),
  rollout: RolloutEvidence.optional(),
});
export type Evidence = z.infer<typeof Evidence>;

/** The in-toto statement that a release's attestation signs: subjects are its code, model and policies. */
export const Attestation = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z.array(Subject).length(3),
  predicateType: z.literal(summaryType),
  predicate: z.strictObject({
    verifier: z.strictObject({ id: z.string().min(1), version: z.record(z.string(), z.string()) }),
    timeVerified: z.iso.datetime(),
    resourceUri: z.string().min(1),
    policy: Resource,
    inputAttestations: z.array(Resource),
    verificationResult: z.enum(["PASSED", "FAILED"]),
    verifiedLevels: z.array(z.string()).min(1),
    slsaVersion: z.string(),
    evidence: Evidence,
  }),
});
export type Attestation = z.infer<typeof Attestation>;
