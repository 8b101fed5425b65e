import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { encode } from "../../pipeline/src/release/der.ts";
import { sealEnvelope } from "../../pipeline/src/release/dsse.ts";
import { signBytes } from "../../pipeline/src/release/ec.ts";
import { loggedBytes, timestampsOid } from "../../pipeline/src/release/sigstore/certificate-log.ts";
import { promiseOf } from "../../pipeline/src/release/sigstore/log.ts";
import { statementType } from "../../pipeline/src/spec/dsse.ts";
import { SignatureBundle } from "../../pipeline/src/spec/oms.ts";
import { TrustedRoot } from "../../pipeline/src/spec/sigstore.ts";
import { aCertificate, type Party, toPem } from "./certificate-fixture.ts";

/** A Sigstore of our own: an authority, a certificate log and a transparency log. */
export type Sigstore = {
  root: Party;
  authority: Party;
  certificateLog: KeyObject;
  log: KeyObject;
  trustedRoot: TrustedRoot;
};

export const subject = "signer@example.com";
export const issuer = "https://accounts.example.com";
/** When everything here was signed, in seconds since the epoch. */
export const signedAt = Date.parse("2026-03-01T00:00:00Z") / 1000;

export function aSigstore(): Sigstore {
  const root = aCertificate({ name: "root", authority: true, usage: "keyCertSign", curve: "P-384" });
  const authority = aCertificate({
    name: "fulcio",
    issuer: root,
    authority: { maxBelow: 0 },
    usage: "keyCertSign",
    curve: "P-384",
  });
  const [certificateLog, log] = [aKey(), aKey()];
  const validFor = { start: "2025-01-01T00:00:00Z" };
  const toLog = (key: KeyObject) => ({
    baseUrl: "https://log.example.com",
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: toDer(key).toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor },
    logId: { keyId: idOf(key).toString("base64") },
  });
  const rawBytes = ({ certificate }: Party) => ({ rawBytes: certificate.der.toString("base64") });
  const trustedRoot = TrustedRoot.parse({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [toLog(log)],
    certificateAuthorities: [
      {
        subject: { organization: "us", commonName: "fulcio" },
        uri: "https://fulcio.example.com",
        certChain: { certificates: [rawBytes(authority), rawBytes(root)] },
        validFor,
      },
    ],
    ctlogs: [toLog(certificateLog)],
    timestampAuthorities: [],
  });
  return { root, authority, certificateLog, log, trustedRoot };
}

/** What Python's verifier reads: the trust root, and where one would sign. */
export function aTrustConfig({ trustedRoot }: Sigstore): unknown {
  const selector = { selector: "ANY" };
  return {
    mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    trustedRoot,
    signingConfig: {
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      caUrls: [],
      oidcUrls: [],
      rekorTlogUrls: [],
      tsaUrls: [],
      rekorTlogConfig: selector,
      tsaConfig: selector,
    },
  };
}

/** A certificate for ten years, though Fulcio's last ten minutes: what counts is the time that the log vouches for. */
export function aKeylessCertificate(sigstore: Sigstore, { logged = true } = {}): Party {
  const key = aKey();
  const text = encode(0x0c, Buffer.from(issuer));
  const more = [
    { oid: "2.5.29.17", critical: true, value: encode(0x30, encode(0x81, Buffer.from(subject))) },
    { oid: "1.3.6.1.4.1.57264.1.1", value: Buffer.from(issuer) }, // the old place, which Python reads
    { oid: "1.3.6.1.4.1.57264.1.8", value: text },
  ];
  const wish = { name: "", issuer: sigstore.authority, key, usage: "digitalSignature", codeSigning: true } as const;
  const bare = aCertificate({ ...wish, more });
  if (!logged) return bare;
  const timestamps = { oid: timestampsOid, value: encode(0x04, timestampOf(bare, sigstore)) };
  return aCertificate({ ...wish, more: [...more, timestamps] });
}

/** A bundle over `statement`, logged as the third of four entries. */
export function aKeylessBundle(
  sigstore: Sigstore,
  statement: unknown,
  { certificate, key } = aKeylessCertificate(sigstore),
): SignatureBundle {
  const sealed = sealEnvelope(Buffer.from(JSON.stringify(statement)), statementType, [key]);
  const envelope = { ...sealed, signatures: sealed.signatures.map(({ sig }) => ({ sig, keyid: "" })) };
  const body = Buffer.from(
    JSON.stringify({
      apiVersion: "0.0.1",
      kind: "dsse",
      spec: {
        envelopeHash: { algorithm: "sha256", value: sha256(Buffer.from(JSON.stringify(envelope))).toString("hex") },
        payloadHash: { algorithm: "sha256", value: sha256(Buffer.from(envelope.payload, "base64")).toString("hex") },
        signatures: [
          { signature: envelope.signatures[0]?.sig, verifier: Buffer.from(toPem(certificate)).toString("base64") },
        ],
      },
    }),
  );
  return SignatureBundle.parse({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      certificate: { rawBytes: certificate.der.toString("base64") },
      tlogEntries: [logEntry(body, sigstore.log)],
    },
    dsseEnvelope: envelope,
  });
}

function logEntry(body: Buffer, log: KeyObject) {
  const id = idOf(log);
  const fields = {
    body: body.toString("base64"),
    integratedTime: String(signedAt),
    logId: id.toString("base64"),
    logIndex: "1002",
  };
  const { rootHash, hashes } = treeOf(body);
  const note = `log.example.com - 1\n4\n${rootHash}\n`;
  const signature = Buffer.concat([id.subarray(0, 4), signBytes(log, Buffer.from(note))]).toString("base64");
  return {
    logIndex: fields.logIndex,
    logId: { keyId: fields.logId },
    kindVersion: { kind: "dsse", version: "0.0.1" },
    integratedTime: fields.integratedTime,
    inclusionPromise: { signedEntryTimestamp: Buffer.from(signBytes(log, promiseOf(fields))).toString("base64") },
    inclusionProof: {
      logIndex: "2",
      rootHash,
      treeSize: "4",
      hashes,
      checkpoint: { envelope: `${note}\n\u2014 log.example.com ${signature}\n` },
    },
    canonicalizedBody: fields.body,
  };
}

/** The root, and the proof, of a tree of four leaves of which `body` is the third. */
export function treeOf(body: Buffer): { rootHash: string; hashes: string[] } {
  const node = (left: Buffer, right: Buffer) => sha256(Buffer.concat([Buffer.from([1]), left, right]));
  const leaf = (content: Buffer) => sha256(Buffer.concat([Buffer.from([0]), content]));
  const left = node(leaf(Buffer.from([0])), leaf(Buffer.from([1])));
  const fourth = leaf(Buffer.from([3]));
  const rootHash = node(left, node(leaf(body), fourth)).toString("base64");
  return { rootHash, hashes: [fourth.toString("base64"), left.toString("base64")] };
}

function timestampOf(bare: Party, { authority, certificateLog }: Sigstore): Buffer {
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(signedAt * 1000));
  const extensions = Buffer.alloc(0);
  const signature = signBytes(
    certificateLog,
    loggedBytes(bare.certificate.signed, authority.certificate, { at, extensions }),
  );
  const timestamp = Buffer.concat([
    Buffer.from([0]),
    idOf(certificateLog),
    at,
    Buffer.from([0, 0, 4, 3]),
    sized(signature),
  ]);
  return sized(sized(timestamp));
}

function sized(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([content.length >> 8, content.length & 0xff]), content]);
}

function aKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

function toDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

function idOf(key: KeyObject): Buffer {
  return sha256(toDer(key));
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
