import { expect, test } from "bun:test";
import fc from "fast-check";
import { readCertificate } from "../../pipeline/src/release/certificate.ts";
import { proveKeyless } from "../../pipeline/src/release/sigstore/keyless.ts";
import { toRoot } from "../../pipeline/src/release/sigstore/root.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { SignatureBundle } from "../../pipeline/src/spec/oms.ts";
import { aCertificate } from "./certificate-fixture.ts";
import { aSecondBundle, aSecondSigstore, aTimestamp } from "./rekor2-fixture.ts";
import { issuer, subject } from "./sigstore-fixture.ts";

const sigstore = aSecondSigstore();
const root = toRoot(sigstore.trustedRoot, "trusted_root.json");

function prove({ verificationMaterial: material, dsseEnvelope }: SignatureBundle, trusted = root) {
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  return proveKeyless(leaf, vouchedBy(material), dsseEnvelope, trusted);
}

function vouchedBy(material: Extract<SignatureBundle["verificationMaterial"], { certificate: unknown }>) {
  const stamps = material.timestampVerificationData?.rfc3161Timestamps ?? [];
  const timestamps = stamps.map(({ signedTimestamp }) => Buffer.from(signedTimestamp, "base64"));
  return { entries: material.tlogEntries, timestamps };
}

test("proveKeyless() tells who signed, by Rekor 2 and a timestamp", () => {
  expect(prove(aSecondBundle(sigstore, "x"))).toEqual({ subject, issuer });
});

const { stamper } = sigstore;
const another = aSecondSigstore();
test.each([
  ["no timestamp", () => Buffer.alloc(0), "timestamp"],
  ["a timestamp of another signature", () => aTimestamp(stamper, Buffer.from("other")), "of another signature"],
  ["a timestamp by an unknown authority", (message) => aTimestamp(another.stamper, message), "another certificate"],
  [
    "a timestamp that says it is a known authority's",
    (message) => aTimestamp(another.stamper, message, { named: stamper.certificate.der }),
    "does not fit",
  ],
  ["a timestamp from before the authority was good", at("2024-06-01T00:00:00Z"), "no authority in the trust root"],
  ["a timestamp from after the certificate's end", at("2050-06-01T00:00:00Z"), "is valid from"],
] satisfies [string, (message: Buffer) => Buffer, string][])("proveKeyless() refuses %s", (_, stamp, words) => {
  expect(() => prove(aSecondBundle(sigstore, "x", { stamp }))).toThrow(words);
});

function at(time: string) {
  return (message: Buffer) => aTimestamp(stamper, message, { atMs: Date.parse(time) });
}

test("proveKeyless() refuses Rekor 2 where nothing vouches for the time", () => {
  const bundle = aSecondBundle(sigstore, "x");
  const { verificationMaterial: material, dsseEnvelope } = bundle;
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  const { entries } = vouchedBy(material);
  expect(() => proveKeyless(leaf, { entries, timestamps: [] }, dsseEnvelope, root)).toThrow("vouches for its time");
});

test("proveKeyless() refuses a stamper whose certificate is not for that", () => {
  const signer = aCertificate({ name: "no stamper", issuer: sigstore.authority, usage: "digitalSignature" });
  const authorities = root.authorities.map((one) => ({ ...one, between: [signer.certificate, ...one.between] }));
  const bundle = aSecondBundle(sigstore, "x", { stamp: (message) => aTimestamp(signer, message) });
  expect(() => prove(bundle, { ...root, timestampAuthorities: authorities })).toThrow("not for telling the time");
});

test.each([["payload", (data: { digest: string }) => ({ ...data, digest: Buffer.alloc(32).toString("base64") })]])(
  "proveKeyless() refuses an entry of another %s",
  (what, change) => {
    const body = (one: Parameters<NonNullable<NonNullable<Parameters<typeof aSecondBundle>[2]>["body"]>>[0]) => ({
      ...one,
      spec: { hashedRekordV002: { ...one.spec.hashedRekordV002, data: change(one.spec.hashedRekordV002.data) } },
    });
    expect(() => prove(aSecondBundle(sigstore, "x", { body }))).toThrow(`it is of another ${what}`);
  },
);

test("proveKeyless() refuses an entry that a log of another key signed", () => {
  const bundle = aSecondBundle({ ...sigstore, second: another.second }, "x");
  expect(() => prove(bundle)).toThrow("is not in the trust root");
});

test("proveKeyless() refuses any one changed byte of a timestamp, or takes it for the same", () => {
  const good = aSecondBundle(sigstore, "x");
  const material = good.verificationMaterial;
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  const { entries, timestamps } = vouchedBy(material);
  const [stamp = Buffer.alloc(0)] = timestamps;
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.nat(stamp.length - 1), fc.integer({ min: 1, max: 255 }), (place, mask) => {
      const changed = Buffer.from(stamp);
      changed.writeUInt8(changed.readUInt8(place) ^ mask, place);
      try {
        proveKeyless(leaf, { entries, timestamps: [changed] }, good.dsseEnvelope, root);
        // Only what nobody relies on may differ: the copied certificate, the serial numbers, the status text.
        seen.add("taken");
      } catch (error) {
        expect(error).toBeInstanceOf(DeployError);
        seen.add("refused");
      }
    }),
    { numRuns: 500 },
  );
  expect(seen).toContain("refused");
});
