import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { encode } from "../../pipeline/src/release/der.ts";
import { authenticated, sealEnvelope } from "../../pipeline/src/release/dsse.ts";
import { statementType } from "../../pipeline/src/spec/dsse.ts";
import { SignatureBundle } from "../../pipeline/src/spec/oms.ts";
import { TrustedRoot } from "../../pipeline/src/spec/sigstore.ts";
import { aCertificate, oid, type Party, sequence } from "./certificate-fixture.ts";
import { aKeylessCertificate, aSigstore, type Sigstore, signedAt, treeOf } from "./sigstore-fixture.ts";

const origin = "log2.example.com";

/** A Sigstore whose log is of version 2: it signs with Ed25519, and a timestamp authority vouches for the time. */
export type SecondSigstore = Sigstore & { second: KeyObject; stamper: Party };

export function aSecondSigstore(): SecondSigstore {
  const sigstore = aSigstore();
  const second = generateKeyPairSync("ed25519").privateKey;
  const stampers = aCertificate({ name: "stampers", authority: true, usage: "keyCertSign", curve: "P-384" });
  const stamping = { oid: "2.5.29.37", critical: true, value: sequence(oid("1.3.6.1.5.5.7.3.8")) };
  const stamper = aCertificate({ name: "stamper", issuer: stampers, usage: "digitalSignature", more: [stamping] });
  const validFor = { start: "2025-01-01T00:00:00Z" };
  const trustedRoot = TrustedRoot.parse({
    ...sigstore.trustedRoot,
    tlogs: [
      {
        baseUrl: `https://${origin}`,
        hashAlgorithm: "SHA2_256",
        publicKey: { rawBytes: toDer(second).toString("base64"), keyDetails: "PKIX_ED25519", validFor },
        logId: { keyId: noteId(second).toString("base64") },
      },
    ],
    timestampAuthorities: [
      {
        subject: { organization: "us", commonName: "stampers" },
        uri: "https://stamp.example.com",
        certChain: {
          certificates: [stamper, stampers].map(({ certificate: { der } }) => ({ rawBytes: der.toString("base64") })),
        },
        validFor,
      },
    ],
  });
  return { ...sigstore, trustedRoot, second, stamper };
}

/** What a bundle is made with, where it is not as it should be. */
type Spoiled = { stamp?: (signature: Buffer) => Buffer; body?: (body: LoggedBody) => unknown; signer?: Party };
/** What the log takes. */
export type LoggedBody = ReturnType<typeof bodyOf>;

/** A bundle over `statement`, logged by Rekor 2 as the third of four entries. */
export function aSecondBundle(sigstore: SecondSigstore, statement: unknown, spoiled: Spoiled = {}): SignatureBundle {
  const { certificate, key } = spoiled.signer ?? aKeylessCertificate(sigstore);
  const sealed = sealEnvelope(Buffer.from(JSON.stringify(statement)), statementType, [key]);
  const envelope = { ...sealed, signatures: sealed.signatures.map(({ sig }) => ({ sig, keyid: "" })) };
  const signature = Buffer.from(envelope.signatures[0]?.sig ?? "", "base64");
  const body = bodyOf(Buffer.from(envelope.payload, "base64"), signature, certificate.der);
  const text = Buffer.from(JSON.stringify(spoiled.body?.(body) ?? body));
  const stamp = spoiled.stamp ?? ((message) => aTimestamp(sigstore.stamper, message));
  return SignatureBundle.parse({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      certificate: { rawBytes: certificate.der.toString("base64") },
      tlogEntries: [entryOf(text, sigstore.second)],
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: stamp(signature).toString("base64") }] },
    },
    dsseEnvelope: envelope,
  });
}

function bodyOf(payload: Buffer, signature: Buffer, certificate: Buffer) {
  const digest = sha256(authenticated(statementType, payload)).toString("base64");
  const verifier = {
    x509Certificate: { rawBytes: certificate.toString("base64") },
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
  };
  return {
    apiVersion: "0.0.2",
    kind: "hashedrekord",
    spec: {
      hashedRekordV002: {
        data: { algorithm: "SHA2_256", digest },
        signature: { content: signature.toString("base64"), verifier },
      },
    },
  };
}

function entryOf(body: Buffer, log: KeyObject) {
  const { rootHash, hashes } = treeOf(body);
  const note = `${origin}\n4\n${rootHash}\n`;
  const signed = Buffer.concat([noteId(log).subarray(0, 4), sign(null, Buffer.from(note), log)]).toString("base64");
  return {
    logIndex: "2",
    logId: { keyId: noteId(log).toString("base64") },
    kindVersion: { kind: "hashedrekord", version: "0.0.2" },
    inclusionProof: {
      logIndex: "2",
      rootHash,
      treeSize: "4",
      hashes,
      checkpoint: { envelope: `${note}\n\u2014 ${origin} ${signed}\n` },
    },
    canonicalizedBody: body.toString("base64"),
  };
}

/** A granted timestamp by RFC 3161 over `message`, made by `stamper` when everything here was signed. */
export function aTimestamp(
  { certificate, key }: Party,
  message: Buffer,
  { named = certificate.der, atMs = signedAt * 1000 } = {},
): Buffer {
  const algorithm = sequence(oid("2.16.840.1.101.3.4.2.1"));
  const kind = oid("1.2.840.113549.1.9.16.1.4");
  const time = encode(0x18, Buffer.from(`${new Date(atMs).toISOString().replaceAll(/[-:T]|\.\d+/g, "")}`));
  const statement = sequence(
    integer(1),
    oid("1.2.3.4"),
    sequence(algorithm, encode(0x04, sha256(message))),
    integer(7),
    time,
  );
  const attributes = Buffer.concat(
    [
      attribute("1.2.840.113549.1.9.3", kind),
      attribute("1.2.840.113549.1.9.4", encode(0x04, sha256(statement))),
      attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(encode(0x04, sha256(named)))))),
    ].toSorted((a, b) => Buffer.compare(a, b)),
  );
  const signer = sequence(
    integer(1),
    sequence(certificate.issuer, integer(1)),
    algorithm,
    encode(0xa0, attributes),
    sequence(oid("1.2.840.10045.4.3.2")),
    encode(0x04, sign("sha256", encode(0x31, attributes), key)),
  );
  const signed = sequence(
    integer(3),
    encode(0x31, algorithm),
    sequence(kind, encode(0xa0, encode(0x04, statement))),
    encode(0xa0, certificate.der),
    encode(0x31, signer),
  );
  return sequence(sequence(integer(0)), sequence(oid("1.2.840.113549.1.7.2"), encode(0xa0, signed)));
}

function attribute(id: string, value: Buffer): Buffer {
  return sequence(oid(id), encode(0x31, value));
}

function integer(value: number): Buffer {
  return encode(0x02, Buffer.from([value]));
}

/** Names a log's key as signed notes do. */
function noteId(key: KeyObject): Buffer {
  return sha256(Buffer.concat([Buffer.from(`${origin}\n`), Buffer.from([1]), toDer(key).subarray(-32)]));
}

function toDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
