import { createHash, verify } from "node:crypto";
import { DeployError } from "../../spec/error.ts";
import type { LogEntry } from "../../spec/oms.ts";
import { verifyBytes } from "../ec.ts";
import { findLog, isIn, type Log } from "./root.ts";

type Proof = NonNullable<LogEntry["inclusionProof"]>;

/** What a log took: the body, and its time in milliseconds since the epoch, which Rekor 2 does not vouch for. */
export type Logged = { body: Buffer; atMs?: number };

/**
 * Proves an entry of a Rekor log: its place in the tree, the log's signature of that tree, and in version 1 its promise, which
 * vouches for the time. In version 2 the log must be good at each of `times`. Throws `E_DIGEST`.
 */
export function proveLogged(entry: LogEntry, logs: readonly Log[], times: readonly number[]): Logged {
  return entry.kindVersion?.version === "0.0.2" ? proveSecond(entry, logs, times) : proveFirst(entry, logs);
}

function proveSecond(
  { canonicalizedBody, inclusionProof, logId }: LogEntry,
  logs: readonly Log[],
  times: readonly number[],
): Logged {
  if (!(canonicalizedBody && inclusionProof)) throw refused("it lacks a body or proof");
  const log = logs.find(({ id }) => id === logId?.keyId);
  if (log === undefined || times.some((atMs) => !isIn(log.period, atMs)))
    throw refused(`log ${logId?.keyId} is not in the trust root at its time`);
  const body = Buffer.from(canonicalizedBody, "base64");
  proveIncluded(body, inclusionProof);
  proveCheckpoint(inclusionProof, log);
  return { body };
}

function proveFirst(entry: LogEntry, logs: readonly Log[]): Logged {
  const { canonicalizedBody, integratedTime, inclusionPromise, inclusionProof, logId, logIndex } = entry;
  if (!(canonicalizedBody && integratedTime && inclusionPromise && inclusionProof && logIndex)) {
    throw refused("it lacks a body, time, promise or proof");
  }
  const atMs = Number(integratedTime) * 1000;
  const log = findLog(logs, logId?.keyId, atMs);
  if (log === undefined) throw refused(`log ${logId?.keyId} is not in the trust root at its time`);
  const promised = promiseOf({ body: canonicalizedBody, integratedTime, logId: log.id, logIndex });
  if (!verifyBytes(log.key, promised, Buffer.from(inclusionPromise.signedEntryTimestamp, "base64"))) {
    throw refused("the log's promise does not fit it");
  }
  const body = Buffer.from(canonicalizedBody, "base64");
  proveIncluded(body, inclusionProof);
  proveCheckpoint(inclusionProof, log);
  return { body, atMs };
}

/** What Rekor signs as its promise: these four fields as canonical JSON. */
export function promiseOf(entry: { body: string; integratedTime: string; logId: string; logIndex: string }): Buffer {
  const id = Buffer.from(entry.logId, "base64").toString("hex");
  return Buffer.from(
    `{"body":"${entry.body}","integratedTime":${toInteger(entry.integratedTime)},"logID":"${id}","logIndex":${toInteger(entry.logIndex)}}`,
  );
}

/** RFC 9162, 2.1.3.2: from the leaf up to the root. */
function proveIncluded(body: Buffer, { logIndex, treeSize, hashes, rootHash }: Proof): void {
  let index = toInteger(logIndex);
  let last = toInteger(treeSize) - 1n;
  if (index > last) throw refused("its index is outside the tree");
  let hash = hashOf(0, body);
  for (const text of hashes) {
    const other = Buffer.from(text, "base64");
    if (last === 0n) throw refused("its proof is too long");
    if (index % 2n === 1n || index === last) {
      hash = hashOf(1, other, hash);
      while (index % 2n === 0n && index !== 0n) [index, last] = [index / 2n, last / 2n];
    } else {
      hash = hashOf(1, hash, other);
    }
    [index, last] = [index / 2n, last / 2n];
  }
  if (last !== 0n || !hash.equals(Buffer.from(rootHash, "base64")))
    throw refused("its proof does not lead to the root");
}

/** A checkpoint is a signed note: the log's name, the size, the root, an empty line, and signatures. */
function proveCheckpoint({ treeSize, rootHash, checkpoint }: Proof, log: Log): void {
  const [text = "", signatures = ""] = checkpoint?.envelope.split("\n\n") ?? [];
  const [, size, root] = text.split("\n");
  if (size !== treeSize || root !== rootHash) throw refused("the log's checkpoint is of another tree");
  const hint = Buffer.from(log.id, "base64").subarray(0, 4);
  const isSigned = signatures.split("\n").some((line) => {
    const bytes = Buffer.from(/^\u2014 \S+ (\S+)$/.exec(line)?.[1] ?? "", "base64");
    return bytes.subarray(0, 4).equals(hint) && isLogs(log, Buffer.from(`${text}\n`), bytes.subarray(4));
  });
  if (!isSigned) throw refused("the log did not sign its checkpoint");
}

/** Rekor 2 signs with Ed25519. */
function isLogs({ key }: Log, bytes: Buffer, signature: Buffer): boolean {
  if (key.asymmetricKeyType !== "ed25519") return verifyBytes(key, bytes, signature);
  return signature.length === 64 && verify(null, bytes, key, signature);
}

function hashOf(prefix: number, ...parts: Buffer[]): Buffer {
  const hash = createHash("sha256").update(Buffer.from([prefix]));
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function toInteger(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw refused(`${JSON.stringify(text)} is no integer`);
  return BigInt(text);
}

function refused(state: string): DeployError {
  return new DeployError("E_DIGEST", `Cannot accept log entry: ${state}`);
}
