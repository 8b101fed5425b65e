import { expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signModel, writeSignature } from "../../pipeline/src/release/oms/sign.ts";
import { readSigners, readTrust, seeModelSignature } from "../../pipeline/src/release/trust.ts";
import { TrustPolicy } from "../../pipeline/src/spec/trust.ts";
import { explain } from "../../pipeline/src/spec/verdict.ts";
import { verify } from "../../pipeline/src/stage/verify.ts";
import { aCertificate, toPem } from "./certificate-fixture.ts";
import { aFolder } from "./folder-fixture.ts";
import { aModelCopy } from "./model-copy.ts";
import { refusalOf } from "./refusal.ts";
import { aKeylessBundle, aSigstore, issuer, subject } from "./sigstore-fixture.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const { privateKey: key, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const root = aCertificate({ name: "root", authority: true });
const atMs = Date.parse("2026-06-01T00:00:00Z");
const policy = {
  schema: "sluice/trust/v1",
  keys: { me: { publicKey: publicKey.export({ type: "spki", format: "pem" }) } },
  roots: { corporate: { certificate: toPem(root.certificate) } },
  environments: {
    local: { unsigned: "accept", models: [], releases: [] },
    production: { unsigned: "refuse", models: ["me", "corporate"], releases: [] },
  },
};
const trusted = readSigners(TrustPolicy.parse(policy), "trust.yaml");

test("seeModelSignature() names the key or the root of the policy", async () => {
  const dir = await aFolder();
  expect(await seeModelSignature(dir, trusted, atMs)).toEqual({ kind: "none" });
  await writeSignature(dir, { key });
  expect(await seeModelSignature(dir, trusted, atMs)).toEqual({ kind: "good", signers: ["me"], leftOut: [] });
  const leaf = aCertificate({ name: "leaf", issuer: root, codeSigning: true });
  await writeSignature(dir, { key: leaf.key, chain: [leaf.certificate] });
  expect(await seeModelSignature(dir, trusted, atMs)).toEqual({ kind: "good", signers: ["corporate"], leftOut: [] });
});

test("seeModelSignature() tells unknown from bad", async () => {
  const dir = await aFolder();
  const mallory = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeSignature(dir, { key: mallory.privateKey });
  expect(await seeModelSignature(dir, trusted, atMs)).toMatchObject({ kind: "unknown" });
  const stranger = aCertificate({ name: "leaf", codeSigning: true });
  await writeSignature(dir, { key: stranger.key, chain: [stranger.certificate] });
  expect(await seeModelSignature(dir, trusted, atMs)).toMatchObject({ kind: "unknown" });
  const expired = aCertificate({ name: "leaf", issuer: root, codeSigning: true, to: 2025 });
  await writeSignature(dir, { key: expired.key, chain: [expired.certificate] });
  expect(await seeModelSignature(dir, trusted, atMs)).toMatchObject({
    kind: "bad",
    reason: expect.stringContaining("2025"),
  });
  await writeSignature(dir, { key });
  await writeFile(join(dir, "model.onnx"), "changed");
  expect(await seeModelSignature(dir, trusted, atMs)).toMatchObject({
    kind: "bad",
    reason: expect.stringContaining("model.onnx"),
  });
});

test("seeModelSignature() names a keyless identity of the policy, beside the policy's own trust root", async () => {
  const sigstore = aSigstore();
  const home = await mkdtemp(join(tmpdir(), "sluice-trust-"));
  const path = join(home, "trust.yaml");
  const identities = { ci: { subject, issuer } };
  await writeFile(join(home, "root.json"), JSON.stringify(sigstore.trustedRoot));
  await writeFile(path, JSON.stringify({ ...policy, identities, sigstore: { trustRoot: "root.json" } }));
  const dir = await aFolder();
  const bundle = JSON.parse(await signModel(dir, { key }));
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString());
  await writeFile(join(dir, "model.sig"), JSON.stringify(aKeylessBundle(sigstore, statement)));
  expect(await seeModelSignature(dir, await readTrust(path), atMs)).toEqual({
    kind: "good",
    signers: ["ci"],
    leftOut: [],
  });
  expect(await seeModelSignature(dir, trusted, atMs)).toMatchObject({
    kind: "unknown",
    reason: expect.stringContaining("sigstore.trustRoot"),
  });
  await writeFile(path, JSON.stringify({ ...policy, sigstore: { trustRoot: "root.json" } }));
  expect(await seeModelSignature(dir, await readTrust(path), atMs)).toMatchObject({
    kind: "unknown",
    reason: expect.stringContaining(subject),
  });
});

test("verify() judges the signature for an environment", async () => {
  const dir = await aModelCopy();
  const inLocal = await verify(dir, { trust: { trusted, environment: "local" } });
  expect(inLocal.report.verdict).toEqual({ kind: "pass" });
  expect(inLocal.report.checks.map(({ name }) => name)).toContain(
    "signature: model is unsigned (no signature in model.sig), local accepts unsigned models",
  );
  const production = { trust: { trusted, environment: "production" } };
  expect(explain((await verify(dir, production)).report.verdict)).toBe(
    "model is unsigned (no signature in model.sig), production refuses unsigned models",
  );
  await writeSignature(dir, { key });
  expect((await verify(dir, production)).report.verdict).toEqual({ kind: "pass" });
});

test("readTrust() reads the shipped policy, and names a key that is none", async () => {
  const shipped = await readTrust(join(import.meta.dirname, "../../policies/trust.yaml"));
  expect(shipped.policy.environments.production?.unsigned).toBe("refuse");
  const path = join(await mkdtemp(join(tmpdir(), "sluice-trust-")), "trust.yaml");
  const broken = {
    ...policy,
    keys: { me: { publicKey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" } },
  };
  await writeFile(path, JSON.stringify(broken));
  expect(await refusalOf(readTrust(path))).toMatchObject({
    code: "E_FILE",
    message: expect.stringContaining(`me of ${path}`),
  });
});
