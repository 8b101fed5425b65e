import { hash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import { KeyFile, KeyId, type Scope } from "../spec/keys.ts";
import { readJson } from "../spec/read.ts";

const shape = /^sluice_([a-z][a-z0-9-]{0,30})_[A-Za-z0-9_-]{32}$/;

/** Makes a new key `sluice_<id>_<192 random bits as base64url>`. It is shown once: only its digest is kept. */
export function newKey(id: string): string {
  return `sluice_${KeyId.parse(id)}_${randomBytes(24).toString("base64url")}`;
}

/** The digest that `keys.json` keeps of a key. */
export function digestKey(key: string): Digest {
  return `sha256:${hash("sha256", key)}`;
}

/** The id inside a key, or undefined when the text has not the shape of a key. */
export function idOfKey(key: string): string | undefined {
  return shape.exec(key)?.[1];
}

/** What a new key is asked to be. `expiresAt` is RFC 3339. */
export type KeyRequest = { id: string; scopes: Scope[]; expiresAt?: string };

/** A file with one more key, and that key; throws `E_USAGE` when the id is taken, also by a revoked key. */
export function createKey(file: KeyFile, request: KeyRequest): { file: KeyFile; key: string } {
  const { id, scopes, expiresAt } = request;
  if (file.keys.some((entry) => entry.id === id)) {
    throw new DeployError(
      "E_USAGE",
      `Cannot create key ${id}: it is there already; next: revoke it, or take another id`,
    );
  }
  const key = newKey(id);
  const entry = { id, digest: digestKey(key), scopes, ...(expiresAt === undefined ? {} : { expiresAt }) };
  return { file: KeyFile.parse({ ...file, keys: [...file.keys, entry] }), key };
}

/** A file in which that key is revoked as of `revokedAt` (RFC 3339); throws `E_USAGE` when there is none. */
export function revokeKey(file: KeyFile, id: string, revokedAt: string): KeyFile {
  if (!file.keys.some((entry) => entry.id === id)) {
    const known = file.keys.map((entry) => entry.id).join(", ") || "none";
    throw new DeployError("E_USAGE", `Cannot revoke key ${id}: it is not there; known: ${known}`);
  }
  const keys = file.keys.map((entry) =>
    entry.id === id && entry.revokedAt === undefined ? { ...entry, revokedAt } : entry,
  );
  return KeyFile.parse({ ...file, keys });
}

/** Reads `keys.json`; an absent file is an empty one. */
export async function readKeys(path: string): Promise<KeyFile> {
  if (!existsSync(path)) return { schema: "sluice/keys/v1", keys: [] };
  return await readJson(path, KeyFile);
}

/** Writes `keys.json` for its owner only, whole or not at all. A service that runs takes it up within seconds. */
export async function writeKeys(path: string, file: KeyFile): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(KeyFile.parse(file), undefined, 2)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}
