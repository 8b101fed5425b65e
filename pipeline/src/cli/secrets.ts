import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestKey, newKey, readKeys, writeKeys } from "../release/key.ts";
import { createFile } from "../rollout/durable.ts";
import type { Scope } from "../spec/keys.ts";

/** Keys of a local site; the files have mode 0600. `limitedKey` may only read: the contract stage proves that it cannot predict. */
export interface LocalKeys {
  keyFile: string;
  key: string;
  limitedKey: string;
}

/** The local site's own keys, made at the first use. */
export async function localKeys(stateDir: string): Promise<LocalKeys> {
  const keyFile = join(stateDir, "secrets", "api-key");
  const key = await keep(keyFile, "local");
  const limitedKey = await keep(join(stateDir, "secrets", "limited-key"), "limited");
  await list(
    stateDir,
    { local: ["predict", "read", "metrics"], limited: ["read"] },
    { local: key, limited: limitedKey },
  );
  return { keyFile, key, limitedKey };
}

async function keep(path: string, id: string): Promise<string> {
  const read = () => readFile(path, "utf8").catch(() => undefined);
  const known = await read(); // looking at a site whose disk is full must not write
  if (known === undefined) await createFile(path, `${newKey(id)}\n`);
  return (known ?? (await readFile(path, "utf8"))).trim();
}

/** Sees to it that `keys.json` knows the local keys; entries that an operator added stay. */
async function list(stateDir: string, scopes: Record<string, Scope[]>, keys: Record<string, string>): Promise<void> {
  const path = join(stateDir, "keys.json");
  const found = await readKeys(path);
  const ours = Object.entries(keys).map(([id, key]) => ({ id, digest: digestKey(key), scopes: scopes[id] ?? [] }));
  const missing = ours.filter((key) => !found.keys.some((known) => known.digest === key.digest));
  if (missing.length === 0) return;
  const kept = found.keys.filter((known) => !missing.some((key) => key.id === known.id));
  await writeKeys(path, { ...found, keys: [...kept, ...missing] });
}
