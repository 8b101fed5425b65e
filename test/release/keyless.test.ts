import { expect, test } from "bun:test";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { readCertificate } from "../../pipeline/src/release/certificate.ts";
import { proveKeyless } from "../../pipeline/src/release/sigstore/keyless.ts";
import { readSigstoreRoot, toRoot } from "../../pipeline/src/release/sigstore/root.ts";
import { SignatureBundle } from "../../pipeline/src/spec/oms.ts";
import { aCertificate } from "./certificate-fixture.ts";
import { refusalOf } from "./refusal.ts";
import { aKeylessBundle, aKeylessCertificate, aSigstore, issuer, type Sigstore, subject } from "./sigstore-fixture.ts";

const sigstore = aSigstore();
const root = toRoot(sigstore.trustedRoot, "trusted_root.json");
const good = aKeylessBundle(sigstore, { any: "statement" });

async function prove({ verificationMaterial: material, dsseEnvelope }: SignatureBundle, trusted = root) {
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  return proveKeyless(leaf, { entries: material.tlogEntries, timestamps: [] }, dsseEnvelope, trusted);
}

test("proveKeyless() tells who signed", async () => {
  expect(await prove(good)).toEqual({ subject, issuer });
});

function mutate(path: (string | number)[], value: unknown): SignatureBundle {
  const bundle = JSON.parse(JSON.stringify(good));
  let place = bundle.verificationMaterial.tlogEntries[0];
  for (const key of path.slice(0, -1)) place = place[key];
  place[path.at(-1) ?? ""] = value;
  return SignatureBundle.parse(bundle);
}

function other(statement: unknown, from: Sigstore = sigstore): SignatureBundle {
  return aKeylessBundle(from, statement);
}

const entryOf = (bundle: SignatureBundle) => bundle.verificationMaterial.tlogEntries?.[0];
const swapped: SignatureBundle = { ...other("another"), verificationMaterial: good.verificationMaterial };
const notLogged = aKeylessBundle(sigstore, "x", aKeylessCertificate(sigstore, { logged: false }));
const nameless = aKeylessBundle(
  sigstore,
  "x",
  aCertificate({ name: "x", issuer: sigstore.authority, codeSigning: true }),
);

test.each([
  [
    "a log that the root lacks",
    aKeylessBundle({ ...aSigstore(), authority: sigstore.authority, certificateLog: sigstore.certificateLog }, "x"),
    "is not in the trust root",
  ],
  ["an authority that the root lacks", aKeylessBundle({ ...aSigstore(), log: sigstore.log }, "x"), "no trusted root"],
  ["a certificate that no log has", notLogged, "no log in the trust root has logged it"],
  [
    "a certificate logged by an unknown log",
    aKeylessBundle({ ...sigstore, certificateLog: aSigstore().certificateLog }, "x"),
    "no log in the trust root has logged it",
  ],
  ["a certificate without names", nameless, "no log in the trust root"],
  ["another time", mutate(["integratedTime"], "1772323201"), "promise does not fit"],
  ["another index", mutate(["logIndex"], "1003"), "promise does not fit"],
  ["a time before the log", mutate(["integratedTime"], "1"), "not in the trust root at its time"],
  ["no promise", mutate(["inclusionPromise"], undefined), "lacks a body, time, promise or proof"],
  ["no proof", mutate(["inclusionProof"], undefined), "lacks a body, time, promise or proof"],
  ["another place in the tree", mutate(["inclusionProof", "logIndex"], "1"), "does not lead to the root"],
  ["a place outside the tree", mutate(["inclusionProof", "logIndex"], "4"), "outside the tree"],
  ["a shorter proof", mutate(["inclusionProof", "hashes"], []), "does not lead to the root"],
  ["a longer proof", mutate(["inclusionProof", "hashes"], ["AAAA", "AAAA", "AAAA"]), "too long"],
  ["another root", mutate(["inclusionProof", "rootHash"], "AAAA"), "does not lead to the root"],
  ["another size", mutate(["inclusionProof", "treeSize"], "3"), ""],
  ["no checkpoint", mutate(["inclusionProof", "checkpoint"], undefined), "of another tree"],
  [
    "a checkpoint without signature",
    mutate(
      ["inclusionProof", "checkpoint", "envelope"],
      (entryOf(good)?.inclusionProof?.checkpoint?.envelope.split("\n\n")[0] ?? "").concat("\n\n"),
    ),
    "did not sign",
  ],
  ["another signature's entry", swapped, "another payload"],
  ["no number", mutate(["logIndex"], "x"), "no integer"],
] satisfies [string, SignatureBundle, string][])("proveKeyless() refuses %s", async (_, bundle, words) => {
  expect((await refusalOf(prove(bundle))).message).toContain(words);
});

test("proveKeyless() refuses no entry at all", async () => {
  const material = good.verificationMaterial;
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  const none = { entries: [], timestamps: [] };
  const { message } = await refusalOf(proveKeyless(leaf, none, good.dsseEnvelope, root));
  expect(message).toContain("no log has taken its signature");
});

test("proveKeyless() accepts no change of what the log or the authority signed", async () => {
  const { canonicalizedBody = "" } = entryOf(good) ?? {};
  const { verificationMaterial: material } = good;
  const certificate = "certificate" in material ? material.certificate.rawBytes : "";
  const flip = (base64: string, place: number, mask: number) => {
    const bytes = Buffer.from(base64, "base64");
    bytes.writeUInt8(bytes.readUInt8(place % bytes.length) ^ mask, place % bytes.length);
    return bytes.toString("base64");
  };
  await fc.assert(
    fc.asyncProperty(fc.nat(5_000), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
      await refusalOf(prove(mutate(["canonicalizedBody"], flip(canonicalizedBody, place, mask))));
      const rawBytes = flip(certificate, place, mask);
      const changed = { ...good, verificationMaterial: { ...material, certificate: { rawBytes } } };
      await refusalOf(prove(SignatureBundle.parse(changed)));
    }),
    { numRuns: 200 },
  );
});

test("readSigstoreRoot() refuses what is no trust root", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "sluice-root-")), "trusted_root.json");
  await writeFile(path, JSON.stringify(sigstore.trustedRoot));
  expect((await readSigstoreRoot(path)).logs).toHaveLength(1);
  await writeFile(path, JSON.stringify({ ...sigstore.trustedRoot, tlogs: [] }));
  expect((await refusalOf(readSigstoreRoot(path))).message).toContain("tlogs");
  const [log] = sigstore.trustedRoot.tlogs;
  await writeFile(
    path,
    JSON.stringify({ ...sigstore.trustedRoot, tlogs: [{ ...log, publicKey: { rawBytes: "AAAA" } }] }),
  );
  expect((await refusalOf(readSigstoreRoot(path))).message).toContain("no key in DER");
});
