import { createHash } from "node:crypto";
import { DeployError } from "../../spec/error.ts";
import { proveChain, signatureHashes } from "../chain.ts";
import { contentOf, type Element, encode, readElements, readInside, readOid, readTime, tags } from "../der.ts";
import { verifyMixed } from "../ec.ts";
import { type Authority, isIn } from "./root.ts";

const oids = {
  signedData: "1.2.840.113549.1.7.2",
  timestamp: "1.2.840.113549.1.9.16.1.4",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingCertificate: "1.2.840.113549.1.9.16.2.47",
  rsa: "1.2.840.113549.1.1.1",
};
const digests = new Map([
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);

/** A digest, and the hash that it is made with. */
type Imprint = { hash: string; digest: Buffer };

/**
 * What an authority said (RFC 3161): the digest of a message, and when it saw it. `statement` are the very bytes of that, which
 * the signer signed by way of attributes.
 */
type Timestamp = {
  message: Imprint;
  atMs: number;
  statement: Buffer;
  signer: { attributes: Buffer; statement: Imprint; certificate: Imprint; algorithm: string; signature: Buffer };
};

/** When one of `authorities` saw `message`, in milliseconds since the epoch; throws `E_DIGEST` where none of them says so. */
export async function proveTimestamp(der: Buffer, message: Buffer, authorities: readonly Authority[]): Promise<number> {
  let timestamp: Timestamp;
  try {
    timestamp = readTimestamp(der);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeployError("E_DIGEST", `Cannot accept timestamp: ${reason}`, { cause });
  }
  const { atMs, statement, signer } = timestamp;
  if (!isOf(timestamp.message, message)) throw refused("it is of another signature");
  if (!isOf(signer.statement, statement)) throw refused("its signer signed another statement");
  let first: DeployError | undefined;
  for (const authority of authorities.filter(({ period }) => isIn(period, atMs))) {
    try {
      await proveAuthority(timestamp, authority);
      return atMs;
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      first ??= error;
    }
  }
  throw first ?? refused("no authority in the trust root is good at its time");
}

async function proveAuthority({ atMs, signer }: Timestamp, { root, between }: Authority): Promise<void> {
  const [leaf, ...others] = between;
  if (leaf === undefined) throw refused("its authority has a root alone");
  if (!isOf(signer.certificate, leaf.der)) throw refused("it names another certificate");
  const hash = signer.algorithm === oids.rsa ? signer.statement.hash : signatureHashes.get(signer.algorithm);
  const { attributes, signature } = signer;
  if (hash === undefined || !(await verifyMixed({ hash, key: leaf.publicKey }, attributes, signature)))
    throw refused("its signature does not fit it");
  await proveChain(leaf, { others, roots: [root], atMs, purpose: "time" });
}

/** Each attribute's one value, by its object identifier. */
function readAttributes(attributes: Element): Map<string, Element> {
  const values = new Map<string, Element>();
  for (const attribute of readElements(attributes.content)) {
    const [oid, set] = readInside(attribute);
    const [value, ...more] = readInside(set, 0x31);
    const name = readOid(oid);
    if (value === undefined || more.length > 0 || values.has(name))
      throw new Error(`attribute ${name} is not one value`);
    values.set(name, value);
  }
  return values;
}

/** Throws an Error for what is no granted timestamp. */
function readTimestamp(der: Buffer): Timestamp {
  const [status, token] = readInside(readElements(der)[0]);
  const granted = contentOf(readInside(status)[0], tags.integer);
  if (granted.length !== 1 || (granted[0] ?? 2) > 1) throw new Error("its request was not granted");
  const [, , content, ...rest] = readInside(inside(token, oids.signedData));
  const signers = readInside(rest.at(-1), 0x31);
  if (signers.length !== 1) throw new Error(`it has ${signers.length} signers, expected one`);
  const statement = contentOf(inside(content, oids.timestamp), tags.octets);
  const [, , imprint, , time] = readInside(readElements(statement)[0]);
  const [algorithm, digest] = readInside(imprint);
  return {
    message: { hash: digestName(algorithm), digest: contentOf(digest, tags.octets) },
    atMs: readTime(time),
    statement,
    signer: readSigner(signers[0]),
  };
}

function readSigner(signer: Element | undefined): Timestamp["signer"] {
  const [, , digestAlgorithm, attributes, algorithm, signature] = readInside(signer);
  if (attributes?.tag !== 0xa0) throw new Error("its signer signed no attributes");
  const values = readAttributes(attributes);
  const kind = readOid(values.get(oids.contentType));
  if (kind !== oids.timestamp) throw new Error(`its signer signed a ${kind}`);
  return {
    attributes: encode(0x31, attributes.content), // signed as the set that it is, not by the tag that it has
    statement: { hash: digestName(digestAlgorithm), digest: contentOf(values.get(oids.messageDigest), tags.octets) },
    certificate: readCertificateName(values.get(oids.signingCertificate)),
    algorithm: readOid(readInside(algorithm)[0]),
    signature: contentOf(signature, tags.octets),
  };
}

/** RFC 5816: the first named certificate is the signer's; its digest is SHA-256 unless said otherwise. */
function readCertificateName(value: Element | undefined): Imprint {
  const [list] = readInside(value);
  const [first, second] = readInside(readInside(list)[0]);
  if (first?.tag === tags.octets) return { hash: "sha256", digest: first.content };
  return { hash: digestName(first), digest: contentOf(second, tags.octets) };
}

/** The content of a `{ type, [0] content }` pair of type `oid`. */
function inside(element: Element | undefined, oid: string): Element | undefined {
  const [type, content] = readInside(element);
  const found = readOid(type);
  if (found !== oid) throw new Error(`its content is ${found}, expected ${oid}`);
  return readInside(content, 0xa0)[0];
}

function digestName(algorithm: Element | undefined): string {
  const oid = readOid(readInside(algorithm)[0]);
  const name = digests.get(oid);
  if (name === undefined) throw new Error(`digest ${oid} is not supported`);
  return name;
}

function isOf({ hash, digest }: Imprint, bytes: Buffer): boolean {
  return createHash(hash).update(bytes).digest().equals(digest);
}

function refused(state: string): DeployError {
  return new DeployError("E_DIGEST", `Cannot accept timestamp: ${state}`);
}
