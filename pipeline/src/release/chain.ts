import { DeployError } from "../spec/error.ts";
import type { Certificate } from "./certificate.ts";
import { verifyMixed } from "./ec.ts";
import { UnknownSigner } from "./unknown-signer.ts";

const maxChain = 8;
/** The hash of a signature algorithm, by its object identifier. */
export const signatureHashes: ReadonlyMap<string, string> = new Map([
  ["1.2.840.10045.4.3.2", "sha256"], // ECDSA
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  ["1.2.840.113549.1.1.11", "sha256"], // RSA
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
]);

/** Where a chain may go through and end, when, and what its leaf is for: signing, or telling the time. */
type Way = {
  others: readonly Certificate[];
  roots: readonly Certificate[];
  atMs: number;
  purpose?: "signing" | "time";
};

/**
 * Proves that `leaf` may sign at `atMs`, by a chain through `others` to one of `roots`, and returns the chain. Throws
 * `E_DIGEST` with the reason.
 */
export async function proveChain(
  leaf: Certificate,
  { others, roots, atMs, purpose = "signing" }: Way,
): Promise<Certificate[]> {
  const isFit = purpose === "time" ? leaf.stampsTime : leaf.signsDocuments || leaf.signsCode;
  if (!isFit) throw refused(purpose === "time" ? "it is not for telling the time" : "it is not for signing");
  const chain = [leaf];
  for (let current = leaf; chain.length <= maxChain; chain.push(current)) {
    proveItself(current, atMs);
    if (roots.some((root) => root.der.equals(current.der))) return chain;
    const unused = [...roots, ...others].filter((issuer) => !chain.some((used) => used.der.equals(issuer.der)));
    const issuers: Certificate[] = [];
    for (const candidate of unused) {
      if (await isIssuerOf(candidate, current, chain.length - 1)) issuers.push(candidate);
    }
    const issuer = issuers.find((candidate) => isValid(candidate, atMs)) ?? issuers[0];
    if (issuer === undefined) throw new UnknownSigner("Cannot accept certificate: no trusted root leads to it");
    current = issuer;
  }
  throw refused(`its chain is longer than ${maxChain}`);
}

function proveItself(certificate: Certificate, atMs: number): void {
  if (!isValid(certificate, atMs)) {
    const times = [certificate.notBefore, certificate.notAfter, atMs].map((time) => new Date(time).toISOString());
    throw refused(`it is valid from ${times[0]} to ${times[1]}, and the time is ${times[2]}`);
  }
  const [unknown] = certificate.critical;
  if (unknown !== undefined) throw refused(`its critical extension ${unknown} is not supported`);
}

function isValid({ notBefore, notAfter }: Certificate, atMs: number): boolean {
  return notBefore <= atMs && atMs <= notAfter;
}

/** `below`: how many certificates stand between the leaf and `issuer`. */
async function isIssuerOf(issuer: Certificate, subject: Certificate, below: number): Promise<boolean> {
  if (!issuer.subject.equals(subject.issuer)) return false;
  if (issuer.issues === undefined || !(below <= issuer.issues.maxBelow)) return false;
  const hash = signatureHashes.get(subject.signature.algorithm);
  if (hash === undefined) return false;
  return verifyMixed({ hash, key: issuer.publicKey }, subject.signed, subject.signature.bytes);
}

function refused(state: string): DeployError {
  return new DeployError("E_DIGEST", `Cannot accept certificate: ${state}`);
}
