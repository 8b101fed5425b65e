import type { KeyObject } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { statementType } from "../../spec/dsse.ts";
import { DeployError } from "../../spec/error.ts";
import { predicateType, type Serialization, SignatureBundle, type SignedModel } from "../../spec/oms.ts";
import type { Certificate } from "../certificate.ts";
import { sealEnvelope } from "../dsse.ts";
import { keyId } from "../ec.ts";
import { type ReadOptions, readResources, rootDigest, wholeFiles } from "./resources.ts";

/** The private key, and with a certificate its chain, leaf first, for bundles that verify by a root certificate. */
export type Signer = { key: KeyObject; chain?: readonly Certificate[] };

/**
 * What is signed: whole files unless told. Shards are named as Python's verifier wants it, or as the specification does.
 * `known` are digests of whole files that were just proven: the signature is over these, whatever became of the files since.
 * Shards are read anew.
 */
export type SignOptions = Pick<ReadOptions, "known" | "shardNames"> & { serialization?: Serialization };

/** Signs a model folder: a bundle by OpenSSF model signing 1.0, one line of JSON. Throws `E_FILE`, or `E_DIGEST` for a link. */
export async function signModel(
  dir: string,
  { key, chain = [] }: Signer,
  { serialization = wholeFiles, ...options }: SignOptions = {},
): Promise<string> {
  const [leaf] = chain;
  if (leaf !== undefined && keyId(leaf.publicKey) !== keyId(key)) {
    throw new DeployError("E_FILE", `Cannot sign ${dir}: the certificate is of another key than the private key`);
  }
  const resources = await readResources(dir, serialization, options);
  const statement: SignedModel = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: basename(resolve(dir)), digest: { sha256: rootDigest(resources) } }],
    predicateType,
    predicate: { resources, serialization },
  };
  const envelope = sealEnvelope(Buffer.from(JSON.stringify(statement)), statementType, [key]);
  const bundle: SignatureBundle = {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { ...materialOf(key, chain), tlogEntries: [] },
    // Python's verifier wants an empty keyid: the material says whose signature it is.
    dsseEnvelope: { ...envelope, signatures: envelope.signatures.map(({ sig }) => ({ sig, keyid: "" })) },
  };
  return JSON.stringify(SignatureBundle.parse(bundle));
}

/** Signs a model folder into its `model.sig`. */
export async function writeSignature(dir: string, signer: Signer, options?: SignOptions): Promise<void> {
  await writeFile(join(dir, "model.sig"), await signModel(dir, signer, options));
}

function materialOf(key: KeyObject, chain: readonly Certificate[]) {
  if (chain.length === 0) return { publicKey: { hint: keyId(key) } };
  return { x509CertificateChain: { certificates: chain.map(({ der }) => ({ rawBytes: der.toString("base64") })) } };
}
