import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Certificate, readCertificate, readCertificates } from "../../pipeline/src/release/certificate.ts";
import { proveChain } from "../../pipeline/src/release/chain.ts";
import { aCertificate, type Party, toPem, type Wish } from "./certificate-fixture.ts";
import { refusalOf } from "./refusal.ts";

const atMs = Date.parse("2026-06-01T00:00:00Z");
const root = aCertificate({ name: "root", authority: true, usage: "keyCertSign" });
const middle = aCertificate({ name: "middle", issuer: root, authority: { maxBelow: 0 }, curve: "P-384" });
const leafWish: Wish = { name: "leaf", issuer: middle, usage: "digitalSignature" };

function prove(leaf: Party, others: Party[] = [middle], roots: Party[] = [root]): Promise<Certificate[]> {
  const certificates = (parties: Party[]) => parties.map(({ certificate }) => certificate);
  return proveChain(leaf.certificate, { others: certificates(others), roots: certificates(roots), atMs });
}

const strong = aCertificate({ name: "strong", issuer: root, authority: true, curve: "P-521" });
const free = aCertificate({ name: "free", issuer: root, authority: true });

test.each([
  ["a leaf by way of another certificate", aCertificate(leafWish), [middle]],
  ["a leaf right below the root", aCertificate({ ...leafWish, issuer: root }), []],
  ["a leaf for code", aCertificate({ name: "code", issuer: middle, codeSigning: true }), [middle]],
  ["an authority without key usage", aCertificate({ ...leafWish, issuer: free }), [free]],
  [
    "an authority of P-521 that signs with SHA-256",
    aCertificate({ ...leafWish, issuer: strong, hash: "sha256" }),
    [strong],
  ],
  ["unneeded certificates", aCertificate({ ...leafWish, issuer: root }), [middle, free]],
])("proveChain() accepts %s", async (_, leaf, others) => {
  expect((await prove(leaf, others)).at(-1)).toBe(root.certificate);
});

const impostor = aCertificate({ name: "root", authority: true });
const ordinary = aCertificate({ name: "ordinary", issuer: root, usage: "digitalSignature", authority: false });
const second = aCertificate({ name: "second", issuer: middle, authority: true });
const noSigner = aCertificate({ name: "no signer", issuer: root, authority: true, usage: "keyAgreement" });
const oldMiddle = aCertificate({ name: "old middle", issuer: root, authority: true, to: 2025 });

test.each([
  ["an expired leaf", aCertificate({ ...leafWish, to: 2026 }), [middle], "is valid from 2020-01-01"],
  ["a leaf not yet valid", aCertificate({ ...leafWish, from: 2027 }), [middle], "is valid from 2027-01-01"],
  ["an expired authority", aCertificate({ ...leafWish, issuer: oldMiddle }), [oldMiddle], "to 2025-01-01"],
  ["a leaf that is not for signing", aCertificate({ ...leafWish, usage: "keyAgreement" }), [middle], "not for signing"],
  ["a leaf without usages", aCertificate({ name: "leaf", issuer: middle }), [middle], "not for signing"],
  ["a missing certificate between", aCertificate(leafWish), [], "no trusted root"],
  [
    "a root of the same name and another key",
    aCertificate({ ...leafWish, issuer: impostor }),
    [impostor],
    "no trusted root",
  ],
  ["an issuer that is no authority", aCertificate({ ...leafWish, issuer: ordinary }), [ordinary], "no trusted root"],
  [
    "an issuer that may not sign certificates",
    aCertificate({ ...leafWish, issuer: noSigner }),
    [noSigner],
    "no trusted root",
  ],
  [
    "more certificates than an authority allows",
    aCertificate({ ...leafWish, issuer: second }),
    [second, middle],
    "no trusted root",
  ],
  ["a leaf that signed itself", aCertificate({ name: "leaf", usage: "digitalSignature" }), [middle], "no trusted root"],
  [
    "an unknown critical extension",
    aCertificate({ ...leafWish, more: [{ oid: "2.5.29.30", critical: true, value: Buffer.from([0x30, 0]) }] }),
    [middle],
    "critical extension 2.5.29.30",
  ],
] satisfies [string, Party, Party[], string][])("proveChain() refuses %s", async (_, leaf, others, words) => {
  expect((await refusalOf(prove(leaf, others))).message).toContain(words);
});

test("readCertificate() of any broken bytes throws E_FILE, or reads a certificate that no chain proves", async () => {
  const { der } = aCertificate(leafWish).certificate;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(der.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (place, mask, cut) => {
        const bytes = Buffer.from(der);
        bytes.writeUInt8(bytes.readUInt8(place) ^ mask, place);
        const read = async () => {
          const certificate = readCertificate(cut ? bytes.subarray(0, place) : bytes);
          return proveChain(certificate, { others: [middle.certificate], roots: [root.certificate], atMs });
        };
        await refusalOf(read());
      },
    ),
    { numRuns: 500 },
  );
});

test("readCertificates() reads PEM, and refuses a text without", () => {
  const pem = toPem(root.certificate) + toPem(middle.certificate);
  expect(readCertificates(pem, "x").map(({ der }) => der)).toEqual([root.certificate.der, middle.certificate.der]);
  expect(() => readCertificates("no pem", "roots.pem")).toThrow("roots.pem");
});
