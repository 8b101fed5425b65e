import { createHash } from "node:crypto";
import { z } from "zod";
import type { Envelope } from "../../spec/dsse.ts";
import { DeployError } from "../../spec/error.ts";
import type { LogEntry } from "../../spec/oms.ts";
import { parseJson } from "../../spec/read.ts";
import { LoggedEnvelope, LoggedSignature } from "../../spec/sigstore.ts";
import { type Certificate, readCertificates } from "../certificate.ts";
import { proveChain } from "../chain.ts";
import { contentOf, readElements, readInside } from "../der.ts";
import { authenticated } from "../dsse.ts";
import { UnknownSigner } from "../unknown-signer.ts";
import { proveCertificateLogged } from "./certificate-log.ts";
import { proveLogged } from "./log.ts";
import { isIn, type SigstoreRoot } from "./root.ts";
import { proveTimestamp } from "./timestamp.ts";

/** Who signed: a mail address or URI, and the issuer who vouched for it. */
export type Identity = { subject: string; issuer: string };

const source = "the log entry of model.sig";
const issuerOid = "1.3.6.1.4.1.57264.1.8";
const oldIssuerOid = "1.3.6.1.4.1.57264.1.1";

/** Who vouches for a signature and its time: entries of transparency logs, and timestamps in DER. */
export type Vouched = { entries: readonly LogEntry[]; timestamps: readonly Buffer[] };

/**
 * Proves a keyless signature offline: a transparency log took this very signature, and its certificate is by an authority and a
 * certificate log of `root`, at each time that a log or a timestamp vouches for. The envelope's own signature is the caller's to
 * check. Throws `E_DIGEST`.
 */
export async function proveKeyless(
  leaf: Certificate,
  { entries, timestamps }: Vouched,
  envelope: Envelope,
  root: SigstoreRoot,
): Promise<Identity> {
  const message = Buffer.from(envelope.signatures[0]?.sig ?? "", "base64");
  const times: number[] = [];
  for (const der of timestamps) times.push(await proveTimestamp(der, message, root.timestampAuthorities));
  const logged = entries.map((entry) => proveLogged(entry, root.logs, times));
  for (const { body, atMs } of logged) {
    proveBody(body, envelope, leaf);
    if (atMs !== undefined) times.push(atMs);
  }
  for (const atMs of times) {
    const authorities = root.authorities.filter(({ period }) => isIn(period, atMs));
    const roots = authorities.map((authority) => authority.root);
    const others = authorities.flatMap(({ between }) => between);
    const [, issuer] = await proveChain(leaf, { roots, others, atMs });
    if (issuer === undefined) throw new UnknownSigner("Cannot accept certificate: it is an authority's own");
    proveCertificateLogged(leaf, issuer, root.certificateLogs);
  }
  if (entries.length === 0)
    throw new DeployError("E_DIGEST", "Cannot accept certificate: no log has taken its signature");
  if (times.length === 0) throw new DeployError("E_DIGEST", "Cannot accept certificate: nothing vouches for its time");
  return readIdentity(leaf);
}

/** The log must have taken this envelope, by this certificate: a promise for another signature vouches for nothing. */
function proveBody(body: Buffer, envelope: Envelope, leaf: Certificate): void {
  const logged = parseJson(body.toString("utf8"), z.union([LoggedEnvelope, LoggedSignature]), source);
  const { isSamePayload, signature, certificate } =
    logged.kind === "dsse" ? readFirst(logged, envelope) : readSecond(logged, envelope);
  const state =
    (!isSamePayload && "payload") ||
    (signature !== envelope.signatures[0]?.sig && "signature") ||
    (certificate?.equals(leaf.der) !== true && "certificate");
  if (state !== false) throw new DeployError("E_DIGEST", `Cannot accept log entry: it is of another ${state}`);
}

type LoggedParts = { isSamePayload: boolean; signature: string; certificate: Buffer | undefined };

function readFirst({ spec }: z.infer<typeof LoggedEnvelope>, { payload }: Envelope): LoggedParts {
  const digest = createHash("sha256").update(Buffer.from(payload, "base64")).digest("hex");
  const [logged] = spec.signatures;
  const [certificate] = readCertificates(Buffer.from(logged.verifier, "base64").toString("latin1"), source);
  return {
    isSamePayload: spec.payloadHash.value === digest,
    signature: logged.signature,
    certificate: certificate?.der,
  };
}

/** Rekor 2 logs the digest of what was signed, type included. */
function readSecond({ spec }: z.infer<typeof LoggedSignature>, { payload, payloadType }: Envelope): LoggedParts {
  const { data, signature } = spec.hashedRekordV002;
  const signed = authenticated(payloadType, Buffer.from(payload, "base64"));
  const digest = createHash(data.algorithm.replace("SHA2_", "sha")).update(signed).digest("base64");
  return {
    isSamePayload: data.digest === digest,
    signature: signature.content,
    certificate: Buffer.from(signature.verifier.x509Certificate.rawBytes, "base64"),
  };
}

function readIdentity({ extensions }: Certificate): Identity {
  const issuer = extensions.get(issuerOid);
  const oldIssuer = extensions.get(oldIssuerOid);
  try {
    const names = readInside(readElements(extensions.get("2.5.29.17")?.value ?? Buffer.alloc(0))[0]);
    const name = names.find(({ tag }) => tag === 0x81 || tag === 0x86); // mail address or URI
    const text = issuer === undefined ? oldIssuer?.value : contentOf(readElements(issuer.value)[0], 0x0c);
    if (name === undefined || text === undefined) throw new Error("a name is missing");
    return { subject: name.content.toString("utf8"), issuer: text.toString("utf8") };
  } catch (cause) {
    throw new DeployError("E_DIGEST", "Cannot accept certificate: it names no subject and issuer", { cause });
  }
}
