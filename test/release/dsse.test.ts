import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { authenticated, openEnvelope, sealEnvelope } from "../../pipeline/src/release/dsse.ts";
import { keyId, readPrivateKey, readPublicKey } from "../../pipeline/src/release/ec.ts";
import { Envelope } from "../../pipeline/src/spec/dsse.ts";

function aKey(namedCurve = "P-256") {
  return generateKeyPairSync("ec", { namedCurve });
}
const alice = aKey();
const bob = aKey("P-384");
const mallory = aKey();
const payload = Buffer.from("hello world");
const type = "http://example.com/HelloWorld";
const trusted = [alice.publicKey, bob.publicKey];

test("authenticated() is the specification's own example", () => {
  expect(authenticated(type, payload).toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
});

test.each(["P-256", "P-384", "P-521"])("openEnvelope() accepts a signature by %s", (curve) => {
  const { privateKey, publicKey } = aKey(curve);
  const envelope = Envelope.parse(sealEnvelope(payload, type, [privateKey]));
  const opened = openEnvelope(envelope, type, [alice.publicKey, publicKey], "it");
  expect(opened.payload).toEqual(payload);
  expect(opened.signers).toEqual([keyId(publicKey)]);
});

test("openEnvelope() accepts two good signatures, and signatures without a keyid", () => {
  const envelope = sealEnvelope(payload, type, [alice.privateKey, bob.privateKey]);
  const both = [keyId(alice.publicKey), keyId(bob.publicKey)];
  expect(openEnvelope(envelope, type, trusted, "it").signers).toEqual(both);
  for (const signature of envelope.signatures) signature.keyid = null;
  expect(openEnvelope(envelope, type, trusted, "it").signers).toEqual(both);
});

const good = sealEnvelope(payload, type, [alice.privateKey]);
const [signature = { sig: "" }] = good.signatures;
const other = sealEnvelope(Buffer.from("other"), type, [alice.privateKey]).signatures;

test.each([
  ["another payload", { ...good, payload: Buffer.from("other").toString("base64") }, "does not fit its payload"],
  ["no signature", { ...good, signatures: [] }, "it is unsigned"],
  ["another payload type", { ...good, payloadType: "text/plain" }, "payload type is text/plain"],
  ["a key that is not trusted", sealEnvelope(payload, type, [mallory.privateKey]), "is not trusted"],
  [
    "a key that says it is another",
    {
      ...good,
      signatures: sealEnvelope(payload, type, [mallory.privateKey]).signatures.map(({ sig }) => ({
        sig,
        keyid: keyId(alice.publicKey),
      })),
    },
    "does not fit",
  ],
  ["a good and a bad signature", { ...good, signatures: [signature, ...other] }, "does not fit its payload"],
  [
    "a good and an unknown signature",
    sealEnvelope(payload, type, [alice.privateKey, mallory.privateKey]),
    "is not trusted",
  ],
  [
    "a signature that is no signature",
    { ...good, signatures: [{ ...signature, sig: "AAAA" }] },
    "does not fit its payload",
  ],
])("openEnvelope() refuses %s", (_, envelope, words) => {
  expect(() => openEnvelope(envelope, type, trusted, "it")).toThrow(words);
});

test("openEnvelope() refuses a type for which the payload was not signed, though its length be the same", () => {
  const changed = { ...good, payloadType: "http://example.com/hellOWorld" };
  expect(() => openEnvelope(changed, changed.payloadType, trusted, "it")).toThrow("does not fit its payload");
});

test.each([
  ["base64 that says the same in another way", { ...good, payload: "aGVsbG8gd29ybGR=" }],
  ["an unknown key", { ...good, more: 1 }],
])("Envelope refuses %s", (_, envelope) => {
  expect(Envelope.safeParse(envelope).success).toBe(false);
});

test("readPrivateKey() and readPublicKey() refuse what is no EC key", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const edwards = generateKeyPairSync("ed25519");
  expect(() => readPrivateKey("no pem", "a.pem")).toThrow("Cannot read key a.pem");
  expect(() => readPrivateKey(rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "a.pem")).toThrow(
    "it is rsa",
  );
  expect(() => readPublicKey(edwards.publicKey.export({ type: "spki", format: "pem" }).toString(), "a.pem")).toThrow(
    "it is ed25519",
  );
});
