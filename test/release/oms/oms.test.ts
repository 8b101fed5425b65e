import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { cp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { sealEnvelope } from "../../../pipeline/src/release/dsse.ts";
import { keyId } from "../../../pipeline/src/release/ec.ts";
import { verifyFolder } from "../../../pipeline/src/release/folder.ts";
import { rootDigest } from "../../../pipeline/src/release/oms/resources.ts";
import { signModel, writeSignature } from "../../../pipeline/src/release/oms/sign.ts";
import { type Trust, verifySignature } from "../../../pipeline/src/release/oms/verify.ts";
import { statementType } from "../../../pipeline/src/spec/dsse.ts";
import { SignatureBundle, SignedModel } from "../../../pipeline/src/spec/oms.ts";
import { aCertificate } from "../certificate-fixture.ts";
import { aFolder } from "../folder-fixture.ts";
import { refusalOf } from "../refusal.ts";

const { privateKey: key, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const atMs = Date.parse("2026-06-01T00:00:00Z");
const trust: Trust = { keys: [publicKey], roots: [], atMs };

async function aSigned(): Promise<string> {
  const dir = await aFolder();
  await writeSignature(dir, { key });
  return dir;
}

function statementOf(bundle: SignatureBundle): SignedModel {
  return SignedModel.parse(JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString()));
}

test("signModel() signs every file but itself, in order", async () => {
  const dir = await aSigned();
  const bundle = SignatureBundle.parse(JSON.parse(await signModel(dir, { key })));
  const { predicate, subject } = statementOf(bundle);
  expect(predicate.resources.map(({ name }) => name)).toEqual([
    "golden.json",
    "manifest.json",
    "model.onnx",
    "transformer.ts",
  ]);
  expect(subject[0].digest.sha256).toBe(rootDigest(predicate.resources));
  expect(await verifySignature(dir, trust)).toEqual({
    signedBy: { kind: "key", keyId: keyId(publicKey) },
    rootDigest: rootDigest(predicate.resources),
    name: dir.split("/").at(-1) ?? "",
    leftOut: [],
  });
});

test("signModel() signs what was proven, not what the files have become since", async () => {
  const dir = await aFolder();
  const { files, itself } = await verifyFolder(dir);
  await writeFile(join(dir, "model.onnx"), "another");
  await writeSignature(dir, { key }, { known: [...files, itself] });
  const refusal = await refusalOf(verifySignature(dir, trust));
  expect(refusal.message).toContain("model.onnx");
});

test("verifySignature() refuses any one changed byte of the signature", async () => {
  const dir = await aSigned();
  const path = join(dir, "model.sig");
  const original = await readFile(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
      const bytes = Buffer.from(original);
      bytes.writeUInt8(bytes.readUInt8(place) ^ mask, place);
      await writeFile(path, bytes);
      expect(["E_FILE", "E_DIGEST"]).toContain((await refusalOf(verifySignature(dir, trust))).code);
    }),
    { numRuns: 300 },
  );
});

test.each([
  [
    "a changed file",
    (dir: string) => writeFile(join(dir, "model.onnx"), "x"),
    /model.onnx: digest is sha256:\w+, signature says/,
  ],
  ["a missing file", (dir: string) => rm(join(dir, "golden.json")), /golden.json: file is missing/],
  ["an extra file", (dir: string) => writeFile(join(dir, "extra"), "x"), /extra: file is extra/],
  ["a link", (dir: string) => symlink("model.onnx", join(dir, "link")), /link is a symbolic link/],
  [
    "the signature of another model",
    async (dir: string) => cp(join(await anotherSigned(), "model.sig"), join(dir, "model.sig")),
    /digest is/,
  ],
  ["an empty signature", (dir: string) => writeFile(join(dir, "model.sig"), ""), /model.sig: file is empty/],
  ["no signature", (dir: string) => rm(join(dir, "model.sig")), /model.sig: file does not exist/],
] satisfies [string, (dir: string) => Promise<unknown>, RegExp][])(
  "verifySignature() refuses %s",
  async (_, spoil, words) => {
    const dir = await aSigned();
    await spoil(dir);
    expect((await refusalOf(verifySignature(dir, trust))).message).toMatch(words);
  },
);

async function anotherSigned(): Promise<string> {
  const dir = await aFolder({ version: "2.0.0" });
  await writeSignature(dir, { key });
  return dir;
}

test("verifySignature() refuses a key that is not trusted, and a claim to be one that is", async () => {
  const mallory = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const dir = await aFolder();
  await writeSignature(dir, { key: mallory.privateKey });
  expect((await refusalOf(verifySignature(dir, trust))).message).toContain("is not trusted");
  const text = await readFile(join(dir, "model.sig"), "utf8");
  await writeFile(join(dir, "model.sig"), text.replace(keyId(mallory.publicKey), keyId(publicKey)));
  expect((await refusalOf(verifySignature(dir, trust))).message).toContain("does not fit its payload");
});

type Change = (statement: SignedModel) => unknown;
test.each([
  [
    "another predicate type",
    (s) => ({ ...s, predicateType: "https://slsa.dev/verification_summary/v1" }),
    "predicateType",
  ],
  ["another statement type", (s) => ({ ...s, _type: "https://in-toto.io/Statement/v0.1" }), "_type"],
  ["two subjects", (s) => ({ ...s, subject: [...s.subject, ...s.subject] }), "subject"],
  [
    "a subject of another digest",
    (s) => ({ ...s, subject: [{ ...s.subject[0], digest: { sha256: "00" } }] }),
    "its subject is 00",
  ],
  ["no resources", (s) => ({ ...s, predicate: { ...s.predicate, resources: [] } }), "resources"],
  ["a resource twice", twice, "twice"],
  ["followed links", (s) => serialize(s, { allow_symlinks: true }), "allow_symlinks"],
  ["another hash", (s) => serialize(s, { hash_type: "md5" }), "hash_type"],
  ["shards without their size", (s) => serialize(s, { method: "shards" }), "shard_size"],
  ["an ignored path outside", (s) => serialize(s, { ignore_paths: ["../x"] }), "ignore_paths"],
] satisfies [string, Change, string][])(
  "verifySignature() refuses a well signed statement with %s",
  async (_, change, words) => {
    const dir = await aSigned();
    const path = join(dir, "model.sig");
    const bundle = SignatureBundle.parse(JSON.parse(await readFile(path, "utf8")));
    await writeFile(path, JSON.stringify(reseal(bundle, change(statementOf(bundle)))));
    expect((await refusalOf(verifySignature(dir, trust))).message).toContain(words);
  },
);

test.each([
  ["another payload type", (b) => reseal(b, statementOf(b), "text/plain"), "payload type is text/plain"],
  [
    "two signatures",
    (b) => ({
      ...b,
      dsseEnvelope: { ...b.dsseEnvelope, signatures: [...b.dsseEnvelope.signatures, ...b.dsseEnvelope.signatures] },
    }),
    "exactly one signature",
  ],
  ["no envelope", (b) => ({ ...b, dsseEnvelope: undefined }), "dsseEnvelope"],
  ["no material", (b) => ({ ...b, verificationMaterial: undefined }), "verificationMaterial"],
  ["another media type", (b) => ({ ...b, mediaType: "application/json" }), "mediaType"],
  [
    "a keyless certificate without log entries",
    (b) => ({ ...b, verificationMaterial: { certificate: { rawBytes: "AAAA" } } }),
    "verificationMaterial",
  ],
  [
    "a certificate that is none",
    (b) => ({ ...b, verificationMaterial: { x509CertificateChain: { certificates: [{ rawBytes: "AAAA" }] } } }),
    "Cannot read certificate",
  ],
] satisfies [string, (bundle: SignatureBundle) => unknown, string][])(
  "verifySignature() refuses a bundle with %s",
  async (_, change, words) => {
    const dir = await aSigned();
    const path = join(dir, "model.sig");
    const bundle = SignatureBundle.parse(JSON.parse(await readFile(path, "utf8")));
    await writeFile(path, JSON.stringify(change(bundle)));
    expect((await refusalOf(verifySignature(dir, trust))).message).toContain(words);
  },
);

test("verifySignature() judges a certificate at the time of the check", async () => {
  const root = aCertificate({ name: "root", authority: true });
  const leaf = aCertificate({ name: "leaf", issuer: root, usage: "digitalSignature", to: 2027 });
  const dir = await aFolder();
  await writeSignature(dir, { key: leaf.key, chain: [leaf.certificate] });
  const roots = [root.certificate];
  expect((await verifySignature(dir, { keys: [], roots, atMs })).signedBy).toMatchObject({ kind: "certificate" });
  const later = Date.parse("2027-06-01T00:00:00Z");
  expect((await refusalOf(verifySignature(dir, { keys: [], roots, atMs: later }))).message).toContain("is valid from");
  expect((await refusalOf(verifySignature(dir, { keys: [], roots: [], atMs }))).message).toContain("no trusted root");
});

test("signModel() refuses a certificate of another key", async () => {
  const { certificate } = aCertificate({ name: "leaf", usage: "digitalSignature" });
  expect((await refusalOf(signModel(await aFolder(), { key, chain: [certificate] }))).message).toContain("another key");
});

function reseal(bundle: SignatureBundle, statement: unknown, type = statementType): SignatureBundle {
  const dsseEnvelope = sealEnvelope(Buffer.from(JSON.stringify(statement)), type, [key]);
  for (const signature of dsseEnvelope.signatures) signature.keyid = "";
  return { ...bundle, dsseEnvelope };
}

function twice(statement: SignedModel): unknown {
  const [first] = statement.predicate.resources;
  const resources = first === undefined ? [] : [first, ...statement.predicate.resources];
  const [subject] = statement.subject;
  const digest = { sha256: rootDigest(resources) };
  return { ...statement, subject: [{ ...subject, digest }], predicate: { ...statement.predicate, resources } };
}

function serialize(statement: SignedModel, change: object): unknown {
  const serialization = { ...statement.predicate.serialization, ...change };
  return { ...statement, predicate: { ...statement.predicate, serialization } };
}
