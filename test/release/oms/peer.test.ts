import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inShards } from "../../../pipeline/src/release/oms/resources.ts";
import { signModel, writeSignature } from "../../../pipeline/src/release/oms/sign.ts";
import { type Trust, verifySignature } from "../../../pipeline/src/release/oms/verify.ts";
import { toRoot } from "../../../pipeline/src/release/sigstore/root.ts";
import { aCertificate, toPem } from "../certificate-fixture.ts";
import { refusalOf } from "../refusal.ts";
import { aSecondBundle, aSecondSigstore } from "../rekor2-fixture.ts";
import { aKeylessBundle, aSigstore, aTrustConfig, issuer, subject } from "../sigstore-fixture.ts";
import { findPeer } from "./python.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const peer = findPeer();
const atMs = Date.parse("2026-06-01T00:00:00Z");
const root = aCertificate({ name: "root", authority: true, usage: "keyCertSign" });
const middle = aCertificate({ name: "middle", issuer: root, authority: true, usage: "keyCertSign" });

/** Sizes around the shard's and the read buffer's, names whose order differs between bytes, UTF-16 units and path parts. */
async function aModel(): Promise<string> {
  const dir = join(await mkdtemp(join(tmpdir(), "sluice-oms-")), "model");
  await mkdir(join(dir, "a"), { recursive: true });
  const files: [string, number][] = [
    ["empty", 0],
    ["one", 1],
    ["a.b", 999],
    ["a/b", 1000],
    ["a/c", 1001],
    ["large", 2 ** 21 + 17],
    ["\u{1f600}", 7],
    ["\uff5e", 8],
    [".gitignore", 9],
  ];
  for (const [path, size] of files) await writeFile(join(dir, path), Buffer.alloc(size, path));
  return dir;
}

async function aKeyFile(key: KeyObject): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "sluice-oms-key-")), "key.pem");
  const type = key.type === "private" ? "pkcs8" : "spki";
  await writeFile(path, key.export({ format: "pem", type }));
  return path;
}

async function aPemFile(...parties: (typeof root)[]): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "sluice-oms-pem-")), "chain.pem");
  await writeFile(path, parties.map(({ certificate }) => toPem(certificate)).join(""));
  return path;
}

describe.skipIf(peer === undefined)("with Python's model_signing as the peer", () => {
  const ask = peer ?? (() => ({ ok: false, output: "" }));
  const curves = ["P-256", "P-384", "P-521"] as const;
  const shards = [undefined, 1000, 2 ** 20, 1_000_000_000];
  const cases = shards.map((shard, i) => ({
    name: shard === undefined ? "whole files" : `shards of ${shard}`,
    shard,
    curve: curves[i % curves.length] ?? "P-256",
  }));
  let dir: string;
  beforeAll(async () => {
    dir = await aModel();
  });

  test.each(cases)("signModel() by key is accepted by Python: $curve, $name", async ({ curve, shard }) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
    await writeSignature(dir, { key: privateKey }, shard === undefined ? {} : { serialization: inShards(shard) });
    const arguments_ = [dir, join(dir, "model.sig"), await aKeyFile(publicKey)];
    expect(ask("verify", "key", ...arguments_)).toEqual({ ok: true, output: "" });
    await writeFile(join(dir, "one"), "2");
    expect(ask("verify", "key", ...arguments_).output).toContain("Hash mismatch for 'one");
    await writeFile(join(dir, "one"), "o");
  });

  test.each(cases)("verifySignature() accepts Python's by key: $curve, $name", async ({ curve, shard }) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
    const more = shard === undefined ? [] : ["--shard", String(shard)];
    expect(ask("sign", "key", dir, join(dir, "model.sig"), await aKeyFile(privateKey), ...more).ok).toBe(true);
    const trust: Trust = { keys: [publicKey], roots: [], atMs };
    expect(await verifySignature(dir, trust)).toMatchObject({ name: "model", leftOut: [], signedBy: { kind: "key" } });
    await writeFile(join(dir, "one"), "2");
    expect((await refusalOf(verifySignature(dir, trust))).message).toContain("one");
    await writeFile(join(dir, "one"), "o");
  });

  // Two truths: the specification names a shard's algorithm `sha256`, its reference implementation `sha256-sharded-<bytes>`.
  test("shards named as the specification says are accepted here, and by Python not yet", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeSignature(dir, { key: privateKey }, { serialization: inShards(1000), shardNames: "specification" });
    const { signedBy } = await verifySignature(dir, { keys: [publicKey], roots: [], atMs });
    expect(signedBy.kind).toBe("key");
    const { ok, output } = ask("verify", "key", dir, join(dir, "model.sig"), await aKeyFile(publicKey));
    expect({ ok, output }).toEqual({ ok: false, output: expect.stringContaining("Hash mismatch") });
  });

  test.each(curves)("signModel() by certificate is accepted by Python: %s", async (curve) => {
    const leaf = aCertificate({ name: "leaf", issuer: middle, usage: "digitalSignature", curve });
    await writeSignature(dir, { key: leaf.key, chain: [leaf.certificate, middle.certificate] });
    const arguments_ = [dir, join(dir, "model.sig"), await aPemFile(root)];
    expect(ask("verify", "certificate", ...arguments_)).toEqual({ ok: true, output: "" });
  });

  test.each(curves)("verifySignature() accepts Python's by certificate: %s", async (curve) => {
    const leaf = aCertificate({ name: "leaf", issuer: middle, usage: "digitalSignature", curve });
    const files = [await aKeyFile(leaf.key), await aPemFile(leaf), await aPemFile(middle)];
    expect(ask("sign", "certificate", dir, join(dir, "model.sig"), ...files)).toEqual({ ok: true, output: "" });
    const proven = await verifySignature(dir, { keys: [], roots: [root.certificate], atMs });
    expect(proven.signedBy).toMatchObject({ kind: "certificate", root: { der: root.certificate.der } });
  });

  /** Signs the model as `bundleOf` does, and holds both verifiers to the same answer. */
  async function agreeAboutKeyless<Trust extends Parameters<typeof aTrustConfig>[0]>(
    sigstore: Trust,
    bundleOf: (sigstore: Trust, statement: Parameters<typeof aKeylessBundle>[1]) => unknown,
  ): Promise<void> {
    const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const bundle = JSON.parse(await signModel(dir, { key }));
    const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString());
    await writeFile(join(dir, "model.sig"), JSON.stringify(bundleOf(sigstore, statement)));
    const config = join(await mkdtemp(join(tmpdir(), "sluice-oms-trust-")), "config.json");
    await writeFile(config, JSON.stringify(aTrustConfig(sigstore)));
    const who = ["--identity", subject, "--issuer", issuer];
    expect(ask("verify", "keyless", dir, join(dir, "model.sig"), config, ...who)).toEqual({ ok: true, output: "" });
    const root = toRoot(sigstore.trustedRoot, "trusted_root.json");
    const { signedBy } = await verifySignature(dir, { keys: [], roots: [], sigstore: root, atMs });
    expect(signedBy).toEqual({ kind: "identity", subject, issuer });
  }

  test("verifySignature() and Python agree about a keyless signature", () =>
    agreeAboutKeyless(aSigstore(), aKeylessBundle));

  test("verifySignature() and Python agree about a keyless signature that Rekor 2 has logged", () =>
    agreeAboutKeyless(aSecondSigstore(), aSecondBundle));

  test("verifySignature() tells what a Python signer left out", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = await aKeyFile(privateKey);
    expect(ask("sign", "key", dir, join(dir, "model.sig"), key, "--ignore", "one", "a").ok).toBe(true);
    const { leftOut } = await verifySignature(dir, { keys: [publicKey], roots: [], atMs });
    expect(leftOut.toSorted()).toEqual(["a", "one"]);
  });
});
