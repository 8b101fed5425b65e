import { createHash } from "node:crypto";
import { DeployError } from "../../spec/error.ts";
import type { Certificate } from "../certificate.ts";
import { contentOf, encode, readElements, readInside, readOid, tags } from "../der.ts";
import { verifyBytes } from "../ec.ts";
import { findLog, type Log } from "./root.ts";

/** The extension with signed certificate timestamps. */
export const timestampsOid = "1.3.6.1.4.1.11129.2.4.2";

/** When and by which log, and the log's signature. `logId` is in base64. */
type Timestamp = { logId: string; at: Buffer; extensions: Buffer; signature: Buffer };

/** Proves that a log known in `logs` logged `leaf` when `issuer` made it (RFC 6962); throws `E_DIGEST`. */
export function proveCertificateLogged(leaf: Certificate, issuer: Certificate, logs: readonly Log[]): void {
  for (const timestamp of readTimestamps(leaf)) {
    const log = findLog(logs, timestamp.logId, Number(timestamp.at.readBigUInt64BE()));
    if (log !== undefined && verifyBytes(log.key, loggedBytes(leaf.signed, issuer, timestamp), timestamp.signature))
      return;
  }
  throw new DeployError("E_DIGEST", "Cannot accept certificate: no log in the trust root has logged it");
}

/** What a log signs: the certificate without the timestamps, bound to its issuer's key. */
export function loggedBytes(
  body: Buffer,
  issuer: Certificate,
  { at, extensions }: Pick<Timestamp, "at" | "extensions">,
): Buffer {
  const key = createHash("sha256")
    .update(issuer.publicKey.export({ type: "spki", format: "der" }))
    .digest();
  const bare = withoutTimestamps(body);
  return Buffer.concat([Buffer.from([0, 0]), at, Buffer.from([0, 1]), key, sized(3, bare), sized(2, extensions)]);
}

function readTimestamps({ extensions }: Certificate): Timestamp[] {
  const extension = extensions.get(timestampsOid);
  if (extension === undefined) return [];
  try {
    const list = contentOf(readElements(extension.value)[0], tags.octets);
    return [...readSized(list.subarray(2))].flatMap(readTimestamp);
  } catch {
    return []; // What cannot be read vouches for nothing.
  }
}

/** Version 0, SHA-256 with ECDSA; others are passed over. */
function readTimestamp(bytes: Buffer): Timestamp[] {
  const extensionsEnd = 43 + bytes.readUInt16BE(41);
  if (bytes[0] !== 0 || bytes.readUInt16BE(extensionsEnd) !== 0x0403) return [];
  const start = extensionsEnd + 4;
  return [
    {
      logId: bytes.subarray(1, 33).toString("base64"),
      at: bytes.subarray(33, 41),
      extensions: bytes.subarray(43, extensionsEnd),
      signature: bytes.subarray(start, start + bytes.readUInt16BE(extensionsEnd + 2)),
    },
  ];
}

function* readSized(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    yield bytes.subarray(at + 2, end);
    at = end;
  }
}

function withoutTimestamps(body: Buffer): Buffer {
  const fields = readInside(readElements(body)[0]).map((field) => {
    if (field.tag !== 0xa3) return field.whole;
    const kept = readInside(readElements(field.content)[0]).filter(
      (one) => readOid(readInside(one)[0]) !== timestampsOid,
    );
    return encode(0xa3, encode(tags.sequence, ...kept.map(({ whole }) => whole)));
  });
  return encode(tags.sequence, ...fields);
}

function sized(lengthBytes: number, content: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}
