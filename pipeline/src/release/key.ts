import { createHash, randomBytes } from "node:crypto";
import type { Digest } from "../spec/digest.ts";
import { KeyId } from "../spec/keys.ts";

const shape = /^sluice_([a-z][a-z0-9-]{0,30})_[A-Za-z0-9_-]{32}$/;

/** Makes a new key `sluice_<id>_<192 random bits as base64url>`. It is shown once: only its digest is kept. */
export function newKey(id: string): string {
  return `sluice_${KeyId.parse(id)}_${randomBytes(24).toString("base64url")}`;
}

/** The digest that `keys.json` keeps of a key. */
export function digestKey(key: string): Digest {
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/** The id inside a key, or undefined when the text has not the shape of a key. */
export function idOfKey(key: string): string | undefined {
  return shape.exec(key)?.[1];
}
