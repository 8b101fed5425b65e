import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type Certificate, readCertificate } from "../../pipeline/src/release/certificate.ts";
import { encode } from "../../pipeline/src/release/der.ts";

/** A certificate and its private key. */
export type Party = { certificate: Certificate; key: KeyObject };

export type Wish = {
  name: string;
  /** Signs the certificate; absent: it signs itself. */
  issuer?: Party;
  curve?: "P-256" | "P-384" | "P-521";
  /** What the issuer signs with; absent: the hash that goes with its curve. */
  hash?: "sha256";
  /** The key to certify; absent: a new one. */
  key?: KeyObject;
  authority?: boolean | { maxBelow: number };
  usage?: "digitalSignature" | "keyCertSign" | "keyAgreement";
  codeSigning?: boolean;
  /** Years of its validity. */
  from?: number;
  to?: number;
  /** More extensions: object identifier in dots, value in DER. */
  more?: readonly { oid: string; critical?: boolean; value: Buffer }[];
};

const hashes = new Map([
  ["prime256v1", "sha256"],
  ["secp384r1", "sha384"],
  ["secp521r1", "sha512"],
]);
const algorithms = new Map([
  ["sha256", "1.2.840.10045.4.3.2"],
  ["sha384", "1.2.840.10045.4.3.3"],
  ["sha512", "1.2.840.10045.4.3.4"],
]);
const usages = { digitalSignature: 0x80, keyAgreement: 0x08, keyCertSign: 0x04 };

/** A certificate made on the spot: no test key lies in the repository. */
export function aCertificate(wish: Wish): Party {
  const { name, issuer, curve = "P-256", from = 2020, to = 2049 } = wish;
  const key = wish.key ?? generateKeyPairSync("ec", { namedCurve: curve }).privateKey;
  const signer = issuer?.key ?? key;
  const hash = wish.hash ?? hashes.get(signer.asymmetricKeyDetails?.namedCurve ?? "") ?? "";
  const algorithm = sequence(oid(algorithms.get(hash) ?? ""));
  const subject = nameOf(name);
  const body = sequence(
    encode(0xa0, encode(0x02, Buffer.from([2]))),
    encode(0x02, Buffer.from([1])),
    algorithm,
    issuer === undefined ? subject : issuer.certificate.subject,
    sequence(year(from), year(to)),
    subject,
    createPublicKey(key).export({ type: "spki", format: "der" }),
    encode(0xa3, sequence(...keyExtensions(key, signer), ...extensionsOf(wish))),
  );
  const signature = sign(hash, body, signer);
  const whole = sequence(body, algorithm, encode(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return { certificate: readCertificate(whole), key };
}

/** The certificate in PEM. */
export function toPem({ der: bytes }: Certificate): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Names the certified key, and the key that certifies it. */
function keyExtensions(key: KeyObject, signer: KeyObject): Buffer[] {
  const id = (one: KeyObject) =>
    createHash("sha1")
      .update(createPublicKey(one).export({ type: "spki", format: "der" }))
      .digest();
  const authority = extension("2.5.29.35", sequence(encode(0x80, id(signer))), false);
  return [extension("2.5.29.14", encode(0x04, id(key)), false), ...(signer === key ? [] : [authority])];
}

function extensionsOf({ authority, usage, codeSigning, more = [] }: Wish): Buffer[] {
  const extensions: Buffer[] = [];
  if (authority !== undefined) {
    const limit = typeof authority === "object" ? [encode(0x02, Buffer.from([authority.maxBelow]))] : [];
    const value = authority === false ? sequence() : sequence(encode(0x01, Buffer.from([0xff])), ...limit);
    extensions.push(extension("2.5.29.19", value, true));
  }
  if (usage !== undefined) extensions.push(extension("2.5.29.15", encode(0x03, Buffer.from([0, usages[usage]])), true));
  if (codeSigning === true) extensions.push(extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.3")), false));
  for (const { oid: id, critical = false, value } of more) extensions.push(extension(id, value, critical));
  return extensions;
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [encode(0x01, Buffer.from([0xff]))] : []), encode(0x04, value));
}

function nameOf(name: string): Buffer {
  if (name === "") return sequence();
  return sequence(encode(0x31, sequence(oid("2.5.4.3"), encode(0x0c, Buffer.from(name)))));
}

function year(number: number): Buffer {
  return encode(0x17, Buffer.from(`${String(number).slice(2)}0101000000Z`));
}

export function oid(dots: string): Buffer {
  const [first = 0, second = 0, ...rest] = dots.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((number) => {
    const groups = [number & 0x7f];
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return encode(0x06, Buffer.from(bytes));
}

export function sequence(...parts: Buffer[]): Buffer {
  return encode(0x30, ...parts);
}
