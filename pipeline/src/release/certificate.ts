import { createPublicKey, type KeyObject } from "node:crypto";
import { DeployError } from "../spec/error.ts";
import { contentOf, type Element, readBits, readElements, readInside, readOid, readTime, tags } from "./der.ts";

/**
 * A certificate, as far as a signature needs it. Times are milliseconds since the epoch; names are DER. `issues` is there
 * where it may sign other certificates, at most `maxBelow` between it and a leaf. `critical` are the critical extensions
 * that nothing here judges.
 */
export type Certificate = {
  der: Buffer;
  signed: Buffer;
  signature: { algorithm: string; bytes: Buffer };
  issuer: Buffer;
  subject: Buffer;
  notBefore: number;
  notAfter: number;
  publicKey: KeyObject;
  issues?: { maxBelow: number };
  signsDocuments: boolean;
  signsCode: boolean;
  stampsTime: boolean;
  critical: string[];
  extensions: Extensions;
};

type Extensions = ReadonlyMap<string, { critical: boolean; value: Buffer }>;

const keyUsage = "2.5.29.15";
const basicConstraints = "2.5.29.19";
const extendedKeyUsage = "2.5.29.37";
const codeSigning = "1.3.6.1.5.5.7.3.3";
const timeStamping = "1.3.6.1.5.5.7.3.8";
const digitalSignature = 0;
const keyCertSign = 5;
// Judged here, or, as names and key identifiers, only describing.
const understood = new Set([keyUsage, basicConstraints, extendedKeyUsage, "2.5.29.14", "2.5.29.17", "2.5.29.35"]);

/** Reads every certificate of a PEM text that came from `source`; throws `E_FILE` when there is none. */
export function readCertificates(pem: string, source: string): Certificate[] {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) throw new DeployError("E_FILE", `Cannot read ${source}: it has no certificate in PEM`);
  return blocks.map((block) => readCertificate(Buffer.from(block[1] ?? "", "base64")));
}

/** Reads a certificate in DER; throws `E_FILE`. */
export function readCertificate(der: Buffer): Certificate {
  try {
    return parse(der);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeployError("E_FILE", `Cannot read certificate: ${reason}`, { cause });
  }
}

function parse(der: Buffer): Certificate {
  const [body, algorithm, signature] = readInside(only(readElements(der)));
  const fields = readInside(body);
  if (fields[0]?.tag === 0xa0) fields.shift(); // version
  const [, inner, issuer, validity, subject, key, ...rest] = fields;
  if (!(body && issuer && subject && key && algorithm)) throw new Error("a field is missing");
  if (inner?.whole.equals(algorithm.whole) !== true) throw new Error("its two signature algorithms differ");
  const [notBefore, notAfter] = readInside(validity).map(readTime);
  if (notBefore === undefined || notAfter === undefined) throw new Error("it has no validity");
  const extensions = readExtensions(rest.find((element) => element.tag === 0xa3));
  const issues = readIssues(extensions);
  return {
    der,
    signed: body.whole,
    signature: { algorithm: readOid(readInside(algorithm)[0]), bytes: readBits(signature) },
    issuer: issuer.whole,
    subject: subject.whole,
    notBefore,
    notAfter,
    publicKey: createPublicKey({ key: key.whole, format: "der", type: "spki" }),
    ...(issues === undefined ? {} : { issues }),
    signsDocuments: hasUsage(extensions, digitalSignature) ?? false,
    signsCode: readExtendedUsage(extensions).includes(codeSigning),
    stampsTime: readExtendedUsage(extensions).includes(timeStamping),
    critical: [...extensions].filter(([oid, { critical }]) => critical && !understood.has(oid)).map(([oid]) => oid),
    extensions,
  };
}

function readExtensions(element: Element | undefined): Extensions {
  const extensions = new Map<string, { critical: boolean; value: Buffer }>();
  if (element === undefined) return extensions;
  for (const extension of readInside(only(readElements(element.content)))) {
    const [oid, ...rest] = readInside(extension);
    const name = readOid(oid);
    if (extensions.has(name)) throw new Error(`it has extension ${name} twice`);
    const critical = rest[0]?.tag === tags.boolean && rest[0].content[0] === 0xff;
    extensions.set(name, { critical, value: contentOf(rest.at(-1), tags.octets) });
  }
  return extensions;
}

function readIssues(extensions: Extensions): { maxBelow: number } | undefined {
  const constraints = extensions.get(basicConstraints);
  if (constraints === undefined || hasUsage(extensions, keyCertSign) === false) return undefined;
  const [isAuthority, limit] = readInside(only(readElements(constraints.value)));
  if (isAuthority?.tag !== tags.boolean || isAuthority.content[0] !== 0xff) return undefined;
  return { maxBelow: limit === undefined ? Number.POSITIVE_INFINITY : contentOf(limit, tags.integer).readUIntBE(0, 1) };
}

/** Whether bit `bit` of the key usage is set; undefined where there is no such extension. */
function hasUsage(extensions: Extensions, bit: number): boolean | undefined {
  const usage = extensions.get(keyUsage);
  if (usage === undefined) return undefined;
  const content = contentOf(only(readElements(usage.value)), tags.bits);
  return ((content[1] ?? 0) & (0x80 >> bit)) !== 0;
}

function readExtendedUsage(extensions: Extensions): string[] {
  const usage = extensions.get(extendedKeyUsage);
  return usage === undefined ? [] : readInside(only(readElements(usage.value))).map(readOid);
}

function only(elements: Element[]): Element | undefined {
  if (elements.length > 1) throw new Error("it has bytes after its end");
  return elements[0];
}
