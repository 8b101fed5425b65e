import { admit } from "../decide/admit.ts";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import type { Release, ReleaseRecord } from "../spec/release.ts";
import type { Report } from "../spec/report.ts";
import {
  Attestation,
  type Evidence,
  type Fingerprint,
  type Proof,
  type RolloutEvidence,
  summaryType,
} from "../spec/statement.ts";
import { Replay } from "../spec/verify.ts";
import { digestBytes } from "./digest.ts";

/** Who made the statement and with what; `tools` are versions by name. */
export type Maker = { by: string; tools: Record<string, string> };

/** States what was proven of a release, from its record, and of its rollout once that ended. */
export function stateRelease(record: ReleaseRecord, maker: Maker, rollout?: RolloutEvidence): Attestation {
  const { release, reports, environment, admittedAt } = record;
  const verdict = admit(record.required ?? reports.map(({ stage }) => stage), reports);
  const evidence = reports.map(evidenceOf);
  const fingerprint = fingerprintOf(reports);
  return Attestation.parse({
    _type: "https://in-toto.io/Statement/v1",
    subject: subjectsOf(release),
    predicateType: summaryType,
    predicate: {
      verifier: { id: "urn:sluice:pipeline", version: maker.tools },
      timeVerified: admittedAt,
      resourceUri: `urn:sluice:release:${release.id}`,
      policy: { uri: `urn:sluice:policies:${environment}`, digest: toSet(release.policy.digest) },
      inputAttestations: evidence.map(({ stage, digest }) => ({
        uri: `urn:sluice:report:${stage}`,
        digest: toSet(digest),
      })),
      verificationResult: verdict.kind === "pass" ? "PASSED" : "FAILED",
      verifiedLevels: ["SLSA_BUILD_LEVEL_UNEVALUATED"],
      slsaVersion: "1.1",
      evidence: {
        release: release.id,
        model: `${release.model.name}@${release.model.version}`,
        environment,
        record: digestBytes(canonical(record)),
        ...maker,
        reports: evidence,
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(rollout === undefined ? {} : { rollout }),
      },
    },
  });
}

/** What admitted a release, without the findings of its reports: those are for operators. */
export function proofOf(record: ReleaseRecord): Proof {
  const { environment, admittedAt, reports } = record;
  return { environment, admittedAt, record: digestBytes(canonical(record)), reports: reports.map(evidenceOf) };
}

/** Holds a statement against the release and the reports that it is said to be about; throws `E_DIGEST`. */
export function proveStatement(statement: Attestation, record: ReleaseRecord): void {
  const { predicate } = statement;
  const { evidence } = predicate;
  const { release } = record;
  const wanted = subjectsOf(release);
  for (const [i, { name, digest }] of wanted.entries()) {
    requireSame(`subject ${name}`, nameOf(statement.subject[i]), `${name} sha256:${digest.sha256}`);
  }
  requireSame("release", evidence.release, release.id);
  requireSame("model", evidence.model, `${release.model.name}@${release.model.version}`);
  requireSame("environment", evidence.environment, record.environment);
  requireSame("time", predicate.timeVerified, record.admittedAt);
  requireSame("policy", predicate.policy.digest.sha256, toSet(release.policy.digest).sha256);
  requireSame("result", predicate.verificationResult, "PASSED");
  requireSame("reports", sayReports(evidence.reports), sayReports(record.reports.map(evidenceOf)));
  requireSame("record", evidence.record, digestBytes(canonical(record)));
}

function subjectsOf({ code, model, policy }: Release) {
  return [
    { name: "code", digest: toSet(code.digest) },
    { name: "model", digest: toSet(model.digest) },
    { name: "policies", digest: toSet(policy.digest) },
  ];
}

/** A report as it stands in `record.json`, whatever the spaces there. */
function evidenceOf(report: Report): Evidence["reports"][number] {
  const { stage, verdict, figure } = report;
  return { stage, verdict: verdict.kind, figure, digest: digestBytes(canonical(report)) };
}

/** JSON with sorted keys: the same text for the same value. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** What the golden replay of the verify report saw; undefined where there was none. */
export function fingerprintOf(reports: readonly Report[]): Fingerprint | undefined {
  const facts = reports.find(({ stage }) => stage === "verify")?.facts;
  const replay = Replay.safeParse(facts?.replay);
  if (!replay.success || replay.data.kind !== "replayed") return undefined;
  const { onnxruntime, runtime, largestDeviation } = replay.data;
  const cpu = typeof facts?.cpu === "string" ? facts.cpu : "unknown";
  return { cpu, onnxruntime, runtime, largestDeviation };
}

function toSet(digest: Digest): { sha256: string } {
  return { sha256: digest.slice("sha256:".length) };
}

function nameOf(subject: Attestation["subject"][number] | undefined): string {
  return `${subject?.name} sha256:${subject?.digest.sha256}`;
}

function sayReports(reports: Evidence["reports"]): string {
  return reports.map(({ stage, verdict, digest }) => `${stage} ${verdict} ${digest}`).join(", ");
}

function requireSame(what: string, state: string, wanted: string): void {
  if (state === wanted) return;
  throw new DeployError(
    "E_DIGEST",
    `Cannot accept attestation.json: its ${what} is ${state}, record.json says ${wanted}`,
  );
}
