import { expect, test } from "bun:test";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { judgeTrust } from "../../pipeline/src/decide/trust.ts";
import { seeAttestation, writeAttestation } from "../../pipeline/src/release/attestation.ts";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import { sealEnvelope } from "../../pipeline/src/release/dsse.ts";
import { canonical, stateRelease } from "../../pipeline/src/release/statement.ts";
import { readSigners } from "../../pipeline/src/release/trust.ts";
import { statementType } from "../../pipeline/src/spec/dsse.ts";
import type { ReleaseRecord } from "../../pipeline/src/spec/release.ts";
import type { Report } from "../../pipeline/src/spec/report.ts";
import { type SeenSignature, TrustPolicy } from "../../pipeline/src/spec/trust.ts";

const release = generateKeyPairSync("ec", { namedCurve: "P-256" });
const mallory = generateKeyPairSync("ec", { namedCurve: "P-256" });
const policy = TrustPolicy.parse({
  schema: "sluice/trust/v1",
  keys: { release: { publicKey: release.publicKey.export({ type: "spki", format: "pem" }) } },
  environments: { production: { unsigned: "refuse", models: [], releases: ["release"] } },
});
const trusted = readSigners(policy, "trust.yaml");
const maker = { by: "tester@here", tools: { sluice: "0.1.0" } };

function aReport(change: Partial<Report> = {}): Report {
  return {
    schema: "sluice/report/v1",
    stage: "verify",
    subject: "magika@3.3.0",
    startedAt: "2026-06-01T00:00:00Z",
    durationMs: 12.5,
    verdict: { kind: "pass" },
    figure: "6 files",
    checks: [],
    facts: {
      cpu: "a cpu",
      replay: {
        kind: "replayed",
        onnxruntime: "1.30.0",
        runtime: "bun 1",
        inputs: [{ name: "x", dtype: "int32", shape: [1] }],
        outputs: [{ name: "y", dtype: "float32", shape: [1] }],
        cases: 1,
        largestDeviation: 1e-8,
        disagreements: [],
      },
    },
    ...change,
  };
}

function aRecord(change: Partial<ReleaseRecord> = {}): ReleaseRecord {
  return {
    schema: "sluice/release/v1",
    release: {
      id: "magika-3.3.0-0123456789ab",
      model: { name: "magika", version: "3.3.0", digest: digestBytes("model") },
      code: { kind: "bundle", digest: digestBytes("code") },
      policy: { digest: digestBytes("policy") },
    },
    environment: "production",
    admittedAt: "2026-06-01T00:00:00Z",
    reports: [aReport(), aReport({ stage: "load", figure: "p99 21 ms", facts: {} })],
    ...change,
  };
}

async function aPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "sluice-attestation-")), "attestation.json");
}

/** What is seen of `statement` for `record` once `keys` signed it. */
async function seen(
  statement: unknown,
  record = aRecord(),
  keys: KeyObject[] = [release.privateKey],
  type = statementType,
): Promise<SeenSignature> {
  const path = await aPath();
  await writeFile(path, JSON.stringify(sealEnvelope(Buffer.from(JSON.stringify(statement)), type, keys)));
  return (await seeAttestation(path, record, trusted)).signature;
}

test("seeAttestation() accepts what writeAttestation() wrote, and a rollout's end", async () => {
  const path = await aPath();
  const rollout = { id: "r-1", result: "promoted", reason: "all steps passed", at: "2026-06-01T01:00:00Z" } as const;
  const statement = stateRelease(aRecord(), maker, rollout);
  await writeAttestation(path, statement, [release.privateKey]);
  const signed = await seeAttestation(path, aRecord(), trusted);
  expect(signed.signature).toEqual({ kind: "good", signers: ["release"], leftOut: [] });
  expect(judgeTrust(signed, policy, "production", Date.parse("2026-06-02T00:00:00Z")).verdict).toEqual({
    kind: "pass",
  });
  expect(statement.predicate.evidence).toMatchObject({
    rollout,
    by: "tester@here",
    fingerprint: { cpu: "a cpu", onnxruntime: "1.30.0", runtime: "bun 1", largestDeviation: 1e-8 },
  });
  expect(statement.predicate.inputAttestations.map(({ uri }) => uri)).toEqual([
    "urn:sluice:report:verify",
    "urn:sluice:report:load",
  ]);
});

test("stateRelease() states a failed report as FAILED, which is not accepted", async () => {
  const record = aRecord({ reports: [aReport({ verdict: { kind: "fail", breaches: ["x"] } })] });
  const statement = stateRelease(record, maker);
  expect(statement.predicate.verificationResult).toBe("FAILED");
  expect(await seen(statement, record)).toMatchObject({
    kind: "bad",
    reason: expect.stringContaining("result is FAILED"),
  });
  expect(stateRelease(aRecord({ reports: [] }), maker).predicate.verificationResult).toBe("FAILED");
});

test("seeAttestation() refuses any one changed byte", async () => {
  const path = await aPath();
  await writeAttestation(path, stateRelease(aRecord(), maker), [release.privateKey]);
  const original = await readFile(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
      const bytes = Buffer.from(original);
      bytes.writeUInt8(bytes.readUInt8(place) ^ mask, place);
      await writeFile(path, bytes);
      expect((await seeAttestation(path, aRecord(), trusted)).signature.kind).not.toBe("good");
    }),
    { numRuns: 300 },
  );
});

const good = stateRelease(aRecord(), maker);
const [code, model, policies] = good.subject;
const older = aRecord({
  release: {
    ...aRecord().release,
    id: "magika-3.2.0-ba9876543210",
    model: { name: "magika", version: "3.2.0", digest: digestBytes("older") },
  },
});

test.each([
  ["an older release's, replayed", stateRelease(older, maker), "subject model"],
  [
    "one with another subject digest",
    { ...good, subject: [code, { ...model, digest: code?.digest }, policies] },
    "subject model",
  ],
  ["one with subjects in another order", { ...good, subject: [model, code, policies] }, "subject code"],
  ["one with a subject too few", { ...good, subject: [code, model] }, "subject"],
  ["one with another predicate type", { ...good, predicateType: "https://slsa.dev/provenance/v1" }, "predicateType"],
  ["one with another statement type", { ...good, _type: "https://in-toto.io/Statement/v0.1" }, "_type"],
  ["one for another environment", stateRelease(aRecord({ environment: "local" }), maker), "environment is local"],
  ["one about other reports", stateRelease(aRecord({ reports: [aReport()] }), maker), "reports"],
  ["one about a record that required other stages", stateRelease(aRecord({ required: ["load"] }), maker), "record is"],
  [
    "one about a changed report",
    stateRelease(aRecord({ reports: [aReport({ durationMs: 1 }), aRecord().reports[1] ?? aReport()] }), maker),
    "reports",
  ],
  [
    "one about another code",
    stateRelease(
      aRecord({ release: { ...aRecord().release, code: { kind: "bundle", digest: digestBytes("x") } } }),
      maker,
    ),
    "subject code",
  ],
  ["one with a field more", { ...good, more: 1 }, "more"],
  ["no statement", "text", "expected object"],
] satisfies [string, unknown, string][])(
  "seeAttestation() refuses, though well signed, %s",
  async (_, statement, words) => {
    expect(await seen(statement)).toMatchObject({ kind: "bad", reason: expect.stringContaining(words) });
  },
);

test("seeAttestation() refuses another payload type, unknown signers, and one bad signature among good ones", async () => {
  expect(await seen(good, aRecord(), [release.privateKey], "application/json")).toMatchObject({
    kind: "bad",
    reason: expect.stringContaining("payload type"),
  });
  expect(await seen(good, aRecord(), [mallory.privateKey])).toMatchObject({ kind: "unknown" });
  expect(await seen(good, aRecord(), [release.privateKey, mallory.privateKey])).toMatchObject({ kind: "unknown" });
  const path = await aPath();
  const envelope = sealEnvelope(Buffer.from(JSON.stringify(good)), statementType, [release.privateKey]);
  const bad = sealEnvelope(Buffer.from("other"), statementType, [release.privateKey]).signatures;
  await writeFile(path, JSON.stringify({ ...envelope, signatures: [...envelope.signatures, ...bad] }));
  expect((await seeAttestation(path, aRecord(), trusted)).signature).toMatchObject({ kind: "bad" });
});

test("seeAttestation() of no file, and of what is no envelope", async () => {
  const path = await aPath();
  expect((await seeAttestation(path, aRecord(), trusted)).signature).toEqual({ kind: "none" });
  await writeFile(path, "");
  expect((await seeAttestation(path, aRecord(), trusted)).signature).toMatchObject({ kind: "bad" });
  await rm(path);
});

test("canonical() is one text for one value", () => {
  expect(canonical({ b: [{ d: 1, c: 2 }], a: "x" })).toBe('{"a":"x","b":[{"c":2,"d":1}]}');
  fc.assert(
    fc.property(
      fc.json(),
      (text) => canonical(JSON.parse(canonical(JSON.parse(text)))) === canonical(JSON.parse(text)),
    ),
  );
});
