import type { KeyObject } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DeployError } from "../spec/error.ts";
import type { ListedFile } from "../spec/manifest.ts";
import { readYaml } from "../spec/read.ts";
import { type SeenSignature, TrustPolicy } from "../spec/trust.ts";
import { type Certificate, readCertificates } from "./certificate.ts";
import { keyId, readPublicKey } from "./ec.ts";
import { type SignedBy, verifySignature } from "./oms/verify.ts";
import type { Identity } from "./sigstore/keyless.ts";
import { readSigstoreRoot, type SigstoreRoot } from "./sigstore/root.ts";
import { UnknownSigner } from "./unknown-signer.ts";

/** A trust policy with its keys and certificates read. */
export type Trusted = {
  policy: TrustPolicy;
  keys: ReadonlyMap<string, KeyObject>;
  roots: ReadonlyMap<string, Certificate>;
  sigstore?: SigstoreRoot;
};

/** Reads `trust.yaml`, keys, certificates and the Sigstore trust root beside it included; throws `E_FILE`. */
export async function readTrust(path: string): Promise<Trusted> {
  const policy = await readYaml(path, TrustPolicy);
  const signers = readSigners(policy, path);
  if (policy.sigstore === undefined) return signers;
  return { ...signers, sigstore: await readSigstoreRoot(resolve(dirname(path), policy.sigstore.trustRoot)) };
}

/** Reads the keys and certificates of a policy that came from `source`; throws `E_FILE`. */
export function readSigners(policy: TrustPolicy, source: string): Trusted {
  const keys = Object.entries(policy.keys).map(([name, { publicKey }]) => {
    return [name, readPublicKey(publicKey, `${name} of ${source}`)] as const;
  });
  const roots = Object.entries(policy.roots).map(([name, { certificate }]) => {
    const [only, ...more] = readCertificates(certificate, `${name} of ${source}`);
    if (only !== undefined && more.length === 0) return [name, only] as const;
    throw new DeployError("E_FILE", `Cannot use root ${name} of ${source}: it has many certificates, expected one`);
  });
  return { policy, keys: new Map(keys), roots: new Map(roots) };
}

/**
 * Looks at a model folder's signature, and proves every file by it where somebody known signed; `known` are digests of files
 * that were just read. Never throws for a bad one.
 */
export async function seeModelSignature(
  dir: string,
  trusted: Trusted,
  atMs: number,
  known: readonly ListedFile[] = [],
): Promise<SeenSignature> {
  const isThere = await stat(join(dir, "model.sig")).then(
    () => true,
    () => false,
  );
  if (!isThere) return { kind: "none" };
  return see(async () => {
    const { keys, roots, sigstore } = trusted;
    const trust = { keys: [...keys.values()], roots: [...roots.values()], sigstore, atMs };
    const { signedBy, leftOut } = await verifySignature(dir, trust, known);
    return { kind: "good", signers: [nameOf(signedBy, trusted)], leftOut };
  });
}

/** Turns the refusals of `prove` into what was seen. */
export async function see(prove: () => Promise<SeenSignature>): Promise<SeenSignature> {
  try {
    return await prove();
  } catch (error) {
    if (error instanceof UnknownSigner) return { kind: "unknown", reason: error.message };
    if (error instanceof DeployError) return { kind: "bad", reason: error.message };
    throw error;
  }
}

/** The policy's name of the key with id `id`. */
export function nameOfKey(id: string, { keys }: Trusted): string {
  for (const [name, key] of keys) if (keyId(key) === id) return name;
  throw new UnknownSigner(`key ${id} is not in the trust policy`);
}

function nameOf(signedBy: SignedBy, trusted: Trusted): string {
  if (signedBy.kind === "key") return nameOfKey(signedBy.keyId, trusted);
  if (signedBy.kind === "identity") return nameOfIdentity(signedBy, trusted);
  for (const [name, root] of trusted.roots) if (root.der.equals(signedBy.root.der)) return name;
  throw new UnknownSigner("no root in the trust policy vouches for its certificate");
}

function nameOfIdentity({ subject, issuer }: Identity, { policy }: Trusted): string {
  for (const [name, wanted] of Object.entries(policy.identities)) {
    if (wanted.subject === subject && wanted.issuer === issuer) return name;
  }
  throw new UnknownSigner(`identity ${subject} of ${issuer} is not in the trust policy`);
}
