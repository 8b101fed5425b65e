import { createHash } from "node:crypto";
import type { Envelope } from "../../spec/dsse.ts";
import { DeployError } from "../../spec/error.ts";
import type { LogEntry } from "../../spec/oms.ts";
import { parseJson } from "../../spec/read.ts";
import { LoggedEnvelope } from "../../spec/sigstore.ts";
import { type Certificate, readCertificates } from "../certificate.ts";
import { proveChain } from "../chain.ts";
import { contentOf, readElements, readInside } from "../der.ts";
import { UnknownSigner } from "../unknown-signer.ts";
import { proveCertificateLogged } from "./certificate-log.ts";
import { proveLogged } from "./log.ts";
import { isIn, type SigstoreRoot } from "./root.ts";

/** Who signed: a mail address or URI, and the issuer who vouched for it. */
export type Identity = { subject: string; issuer: string };

const issuerOid = "1.3.6.1.4.1.57264.1.8";
const oldIssuerOid = "1.3.6.1.4.1.57264.1.1";

/**
 * Proves a keyless signature offline: the certificate by an authority and a certificate log of `root`, at the time at which
 * a transparency log took this very signature. The envelope's own signature is the caller's to check. Throws `E_DIGEST`.
 */
export function proveKeyless(
  leaf: Certificate,
  entries: readonly LogEntry[],
  envelope: Envelope,
  root: SigstoreRoot,
): Identity {
  const times = entries.map((entry) => {
    const { body, atMs } = proveLogged(entry, root.logs);
    proveBody(body, envelope, leaf);
    return atMs;
  });
  for (const atMs of times) {
    const authorities = root.authorities.filter(({ period }) => isIn(period, atMs));
    const roots = authorities.map((authority) => authority.root);
    const others = authorities.flatMap(({ between }) => between);
    const [, issuer] = proveChain(leaf, { roots, others, atMs });
    if (issuer === undefined) throw new UnknownSigner("Cannot accept certificate: it is an authority's own");
    proveCertificateLogged(leaf, issuer, root.certificateLogs);
  }
  if (times.length === 0) throw new DeployError("E_DIGEST", "Cannot accept certificate: no log vouches for its time");
  return readIdentity(leaf);
}

/** The log must have taken this envelope, by this certificate: a promise for another signature vouches for nothing. */
function proveBody(body: Buffer, envelope: Envelope, leaf: Certificate): void {
  const { spec } = parseJson(body.toString("utf8"), LoggedEnvelope, "the log entry of model.sig");
  const digest = createHash("sha256").update(Buffer.from(envelope.payload, "base64")).digest("hex");
  const [logged] = spec.signatures;
  const [logger] = readCertificates(
    Buffer.from(logged.verifier, "base64").toString("latin1"),
    "the log entry of model.sig",
  );
  const state =
    (spec.payloadHash.value !== digest && "payload") ||
    (logged.signature !== envelope.signatures[0]?.sig && "signature") ||
    (logger?.der.equals(leaf.der) !== true && "certificate");
  if (state !== false) throw new DeployError("E_DIGEST", `Cannot accept log entry: it is of another ${state}`);
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
