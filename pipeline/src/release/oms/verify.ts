import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { statementType } from "../../spec/dsse.ts";
import { DeployError } from "../../spec/error.ts";
import type { ListedFile } from "../../spec/manifest.ts";
import { type Resource, SignatureBundle, SignedModel } from "../../spec/oms.ts";
import { parseJson } from "../../spec/read.ts";
import { type Certificate, readCertificate } from "../certificate.ts";
import { proveChain } from "../chain.ts";
import { openEnvelope } from "../dsse.ts";
import { keyId, readPublicKey } from "../ec.ts";
import { type Identity, proveKeyless } from "../sigstore/keyless.ts";
import type { SigstoreRoot } from "../sigstore/root.ts";
import { readWhole } from "../steady.ts";
import { UnknownSigner } from "../unknown-signer.ts";
import { ignoredPaths, readResources, rootDigest } from "./resources.ts";

const maxBundleBytes = 16 * 2 ** 20;

/**
 * Whose signatures are accepted: these keys, certificates that lead to these roots at `atMs` (since the epoch), and keyless
 * ones that a Sigstore trust root vouches for.
 */
export type Trust = {
  keys: readonly KeyObject[];
  roots: readonly Certificate[];
  sigstore?: SigstoreRoot | undefined;
  atMs: number;
};

/** Who signed: a key by its id, a certificate by its own key's id and the root that vouches for it, or an identity. */
export type SignedBy =
  | { kind: "key"; keyId: string }
  | { kind: "certificate"; keyId: string; root: Certificate }
  | ({ kind: "identity" } & Identity);

/** A proven signature: who signed, the digest over all resources in hex, and the paths that the signer left out. */
export type ModelSignature = { signedBy: SignedBy; rootDigest: string; name: string; leftOut: string[] };

/**
 * Proves `model.sig` of a folder, and every file by it; `known` are digests of files that were just read. Throws `E_FILE` for
 * what is no bundle, `E_DIGEST` naming what differs or is not trusted.
 */
export async function verifySignature(
  dir: string,
  trust: Trust,
  known: readonly ListedFile[] = [],
): Promise<ModelSignature> {
  const path = join(dir, "model.sig");
  const text = new TextDecoder().decode(await readWhole(path, maxBundleBytes));
  const { statement, signedBy } = await openBundle(parseJson(text, SignatureBundle, path), trust);
  const { resources, serialization } = statement.predicate;
  const [subject] = statement.subject;
  proveStatement(resources, subject.digest.sha256);
  const differences = compareResources(resources, await readResources(dir, serialization, { known }));
  if (differences.length > 0) {
    throw new DeployError("E_DIGEST", `Cannot use ${dir}: ${differences.slice(0, 5).join("; ")}`);
  }
  const leftOut = (serialization.ignore_paths ?? []).filter((ignored) => !ignoredPaths.includes(ignored));
  return { signedBy, rootDigest: subject.digest.sha256, name: subject.name, leftOut };
}

async function openBundle(
  bundle: SignatureBundle,
  trust: Trust,
): Promise<{ statement: SignedModel; signedBy: SignedBy }> {
  const { signedBy, key } = await proveSigner(bundle, trust);
  const { payload } = openEnvelope(bundle.dsseEnvelope, statementType, [key], "model.sig");
  const source = "the signed statement of model.sig";
  return { statement: parseJson(payload.toString("utf8"), SignedModel, source), signedBy };
}

type Proven = { signedBy: SignedBy; key: KeyObject };

async function proveSigner(
  { verificationMaterial: material, dsseEnvelope }: SignatureBundle,
  trust: Trust,
): Promise<Proven> {
  if ("publicKey" in material) return proveKey(material.publicKey, trust);
  if ("x509CertificateChain" in material) return proveCertificate(material.x509CertificateChain.certificates, trust);
  if (trust.sigstore === undefined) {
    throw new UnknownSigner("Cannot accept model.sig: keyless signatures need sigstore.trustRoot in the trust policy");
  }
  const leaf = fromBase64(material.certificate);
  const { rfc3161Timestamps = [] } = material.timestampVerificationData ?? {};
  const timestamps = rfc3161Timestamps.map(({ signedTimestamp }) => Buffer.from(signedTimestamp, "base64"));
  const identity = await proveKeyless(
    leaf,
    { entries: material.tlogEntries, timestamps },
    dsseEnvelope,
    trust.sigstore,
  );
  return { signedBy: { kind: "identity", ...identity }, key: leaf.publicKey };
}

/** Bundles from before version 1.1 of Python's signer have the key in PEM where its fingerprint is now. */
function proveKey(
  { hint, rawBytes }: { hint?: string | undefined; rawBytes?: string | undefined },
  trust: Trust,
): Proven {
  const pem = rawBytes === undefined ? undefined : Buffer.from(rawBytes, "base64").toString("latin1");
  const id = hint ?? (pem === undefined ? undefined : keyId(readPublicKey(pem, "of model.sig")));
  const key = trust.keys.find((candidate) => keyId(candidate) === id);
  if (key === undefined)
    throw new UnknownSigner(`Cannot accept model.sig: key ${id ?? "without a hint"} is not trusted`);
  return { signedBy: { kind: "key", keyId: keyId(key) }, key };
}

async function proveCertificate(
  certificates: readonly { rawBytes: string }[],
  { roots, atMs }: Trust,
): Promise<Proven> {
  const [leaf, ...others] = certificates.map(fromBase64);
  if (leaf === undefined) throw new DeployError("E_FILE", "Cannot accept model.sig: it has no certificate");
  const root = (await proveChain(leaf, { others, roots, atMs })).at(-1) ?? leaf;
  return { signedBy: { kind: "certificate", keyId: keyId(leaf.publicKey), root }, key: leaf.publicKey };
}

function fromBase64({ rawBytes }: { rawBytes: string }): Certificate {
  return readCertificate(Buffer.from(rawBytes, "base64"));
}

/**
 * The statement must agree with itself before it is held against the folder. Its order is not judged: Python's signer sorts
 * paths part by part and shards by number, unlike the specification.
 */
function proveStatement(resources: readonly Resource[], digest: string): void {
  const names = new Set<string>();
  for (const { name } of resources) {
    if (names.has(name)) throw new DeployError("E_DIGEST", `Cannot accept model.sig: it lists ${name} twice`);
    names.add(name);
  }
  const actual = rootDigest(resources);
  if (actual === digest) return;
  throw new DeployError("E_DIGEST", `Cannot accept model.sig: its subject is ${digest}, its resources give ${actual}`);
}

function compareResources(signed: readonly Resource[], found: readonly Resource[]): string[] {
  const actual = new Map(found.map(({ name, digest }) => [name, digest]));
  const differences: string[] = [];
  for (const { name, digest } of signed) {
    const state = actual.get(name);
    actual.delete(name);
    if (state === undefined) differences.push(`${name}: file is missing, signature says sha256:${digest}`);
    else if (state !== digest) differences.push(`${name}: digest is sha256:${state}, signature says sha256:${digest}`);
  }
  for (const name of actual.keys()) differences.push(`${name}: file is extra, signature does not cover it`);
  return differences;
}
