import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { replaceFile } from "../rollout/durable.ts";
import { Envelope, statementType } from "../spec/dsse.ts";
import { DeployError } from "../spec/error.ts";
import { parseJson } from "../spec/read.ts";
import type { ReleaseRecord } from "../spec/release.ts";
import { Attestation } from "../spec/statement.ts";
import type { Signed } from "../spec/trust.ts";
import { openEnvelope, sealEnvelope } from "./dsse.ts";
import { proveStatement } from "./statement.ts";
import { readWhole } from "./steady.ts";
import { nameOfKey, see, type Trusted } from "./trust.ts";

const maxBytes = 16 * 2 ** 20;

/** Where a staged release keeps its signed attestation. */
export function attestationPath(releasesDir: string, id: string): string {
  return join(releasesDir, id, "attestation.json");
}

/** Signs a statement with every one of `keys`, into one line of JSON; without a key it is kept unsigned. */
export async function writeAttestation(
  path: string,
  statement: Attestation,
  keys: readonly KeyObject[],
): Promise<void> {
  const envelope = sealEnvelope(Buffer.from(JSON.stringify(statement)), statementType, keys);
  await replaceFile(path, JSON.stringify(envelope));
}

/** Whether somebody signed an attestation at `path` that is about `record` as it is; by whom is not judged. */
export async function isSignedFor(path: string, record: ReleaseRecord): Promise<boolean> {
  try {
    const { statement, isSigned } = await readAttestation(path);
    proveStatement(statement, record);
    return isSigned;
  } catch (error) {
    if (error instanceof DeployError) return false;
    throw error;
  }
}

/** What an attestation says, whoever signed it: for showing, never for believing. Throws `E_FILE`. */
export async function readAttestation(path: string): Promise<{ statement: Attestation; isSigned: boolean }> {
  const { payload, signatures } = await readEnvelope(path);
  return { statement: parseStatement(Buffer.from(payload, "base64"), path), isSigned: signatures.length > 0 };
}

/** Looks at the attestation at `path` as one of the release in `record`. Never throws for a bad one. */
export async function seeAttestation(path: string, record: ReleaseRecord, trusted: Trusted): Promise<Signed> {
  const { name, version } = record.release.model;
  const signature = await see(async () => {
    const envelope = await readEnvelope(path).catch((error: unknown) => {
      if (error instanceof Error && error.message.endsWith("file does not exist")) return undefined;
      throw error;
    });
    if (envelope === undefined) return { kind: "none" };
    if (envelope.signatures.length === 0) {
      proveStatement(parseStatement(Buffer.from(envelope.payload, "base64"), path), record);
      return { kind: "none" };
    }
    const { payload, signers } = openEnvelope(envelope, statementType, [...trusted.keys.values()], path);
    proveStatement(parseStatement(payload, path), record);
    return { kind: "good", signers: signers.map((id) => nameOfKey(id, trusted)), leftOut: [] };
  });
  return { kind: "release", name, version, signature, signedAt: Date.parse(record.admittedAt) };
}

async function readEnvelope(path: string): Promise<Envelope> {
  return parseJson(new TextDecoder().decode(await readWhole(path, maxBytes)), Envelope, path);
}

function parseStatement(payload: Buffer, path: string): Attestation {
  return parseJson(payload.toString("utf8"), Attestation, `the statement of ${path}`);
}
