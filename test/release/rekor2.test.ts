import { expect, test } from "bun:test";
import fc from "fast-check";
import { readCertificate } from "../../pipeline/src/release/certificate.ts";
import { proveKeyless } from "../../pipeline/src/release/sigstore/keyless.ts";
import { toRoot } from "../../pipeline/src/release/sigstore/root.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { SignatureBundle } from "../../pipeline/src/spec/oms.ts";
import { aCertificate } from "./certificate-fixture.ts";
import { refusalOf } from "./refusal.ts";
import { aSecondBundle, aSecondSigstore, aTimestamp, type LoggedBody } from "./rekor2-fixture.ts";
import { issuer, subject } from "./sigstore-fixture.ts";

const sigstore = aSecondSigstore();
const root = toRoot(sigstore.trustedRoot, "trusted_root.json");

async function prove({ verificationMaterial: material, dsseEnvelope }: SignatureBundle, trusted = root) {
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  return proveKeyless(leaf, vouchedBy(material), dsseEnvelope, trusted);
}

function vouchedBy(material: Extract<SignatureBundle["verificationMaterial"], { certificate: unknown }>) {
  const stamps = material.timestampVerificationData?.rfc3161Timestamps ?? [];
  const timestamps = stamps.map(({ signedTimestamp }) => Buffer.from(signedTimestamp, "base64"));
  return { entries: material.tlogEntries, timestamps };
}

test("proveKeyless() tells who signed, by Rekor 2 and a timestamp", async () => {
  expect(await prove(aSecondBundle(sigstore, "x"))).toEqual({ subject, issuer });
});

const { stamper } = sigstore;
const another = aSecondSigstore();
test.each([
  ["a timestamp that is none", () => Buffer.from([0x30, 0]), "Cannot accept timestamp: DER tag is missing"],
  ["a timestamp of another signature", () => aTimestamp(stamper, Buffer.from("other")), "of another signature"],
  ["a timestamp by an unknown authority", (message) => aTimestamp(another.stamper, message), "another certificate"],
  [
    "a timestamp that says it is a known authority's",
    (message) => aTimestamp(another.stamper, message, { named: stamper.certificate.der }),
    "does not fit",
  ],
  ["a timestamp from before the authority was good", at("2024-06-01T00:00:00Z"), "no authority in the trust root"],
  ["a timestamp from after the certificate's end", at("2050-06-01T00:00:00Z"), "is valid from"],
] satisfies [string, (message: Buffer) => Buffer, string][])("proveKeyless() refuses %s", async (_, stamp, words) => {
  expect((await refusalOf(prove(aSecondBundle(sigstore, "x", { stamp })))).message).toContain(words);
});

function at(time: string) {
  return (message: Buffer) => aTimestamp(stamper, message, { atMs: Date.parse(time) });
}

test("proveKeyless() refuses Rekor 2 where nothing vouches for the time", async () => {
  const bundle = aSecondBundle(sigstore, "x");
  const { verificationMaterial: material, dsseEnvelope } = bundle;
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  const { entries } = vouchedBy(material);
  const { message } = await refusalOf(proveKeyless(leaf, { entries, timestamps: [] }, dsseEnvelope, root));
  expect(message).toContain("nothing vouches for its time");
});

test("proveKeyless() refuses a stamper whose certificate is not for that", async () => {
  const signer = aCertificate({ name: "no stamper", issuer: sigstore.authority, usage: "digitalSignature" });
  const authorities = root.authorities.map((one) => ({ ...one, between: [signer.certificate, ...one.between] }));
  const bundle = aSecondBundle(sigstore, "x", { stamp: (message) => aTimestamp(signer, message) });
  const { message } = await refusalOf(prove(bundle, { ...root, timestampAuthorities: authorities }));
  expect(message).toContain("not for telling the time");
});

test("proveKeyless() refuses an entry of another payload", async () => {
  const body = ({ spec: { hashedRekordV002: logged }, ...rest }: LoggedBody) => {
    const data = { ...logged.data, digest: Buffer.alloc(32).toString("base64") };
    return { ...rest, spec: { hashedRekordV002: { ...logged, data } } };
  };
  const { message } = await refusalOf(prove(aSecondBundle(sigstore, "x", { body })));
  expect(message).toContain("it is of another payload");
});

test("proveKeyless() refuses an entry that a log of another key signed", async () => {
  const bundle = aSecondBundle({ ...sigstore, second: another.second }, "x");
  expect((await refusalOf(prove(bundle))).message).toContain("is not in the trust root");
});

test("proveKeyless() refuses any one changed byte of a timestamp, or takes it for the same", async () => {
  const good = aSecondBundle(sigstore, "x");
  const material = good.verificationMaterial;
  if (!("certificate" in material)) throw new Error("The bundle has no certificate");
  const leaf = readCertificate(Buffer.from(material.certificate.rawBytes, "base64"));
  const { entries, timestamps } = vouchedBy(material);
  const [stamp = Buffer.alloc(0)] = timestamps;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.nat(stamp.length - 1), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
      const changed = Buffer.from(stamp);
      changed.writeUInt8(changed.readUInt8(place) ^ mask, place);
      try {
        await proveKeyless(leaf, { entries, timestamps: [changed] }, good.dsseEnvelope, root);
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
