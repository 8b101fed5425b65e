import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { DeployError } from "../spec/error.ts";
import { contentOf, readElements, readInside, tags } from "./der.ts";

/** The hash that goes with a curve, in Node's and ONNX model signing's words. */
const hashes = new Map([
  ["prime256v1", "sha256"],
  ["secp384r1", "sha384"],
  ["secp521r1", "sha512"],
]);

/** Reads a private key of P-256, P-384 or P-521 in PEM that came from `source`; throws `E_FILE`. */
export function readPrivateKey(pem: string, source: string): KeyObject {
  return readKey(() => createPrivateKey(pem), source);
}

/** Reads a public key of P-256, P-384 or P-521 in PEM that came from `source`; throws `E_FILE`. */
export function readPublicKey(pem: string, source: string): KeyObject {
  return readKey(() => createPublicKey(pem), source);
}

/** An ECDSA signature in DER, with the hash that goes with the key's curve. */
export function signBytes(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign(hashOf(key), bytes, key);
}

/** Whether `signature` is `key`'s over `bytes`. False for a key of another kind, and for what is no signature. */
export function verifyBytes(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  const hash = hashes.get(curveOf(key));
  if (hash === undefined) return false;
  try {
    return verify(hash, bytes, key, signature);
  } catch {
    return false; // Deno throws on a signature that is no DER.
  }
}

/**
 * Whether `signature` in DER is `key`'s over `bytes` with `hash`, as certificates mix curves and hashes. Deno's `node:crypto` knows
 * P-521 with its longer hashes alone, its WebCrypto with all.
 */
export async function verifyMixed(
  { hash, key }: { hash: string; key: KeyObject },
  bytes: Buffer,
  signature: Buffer,
): Promise<boolean> {
  try {
    if (curveOf(key) !== "secp521r1" || hash === "sha512") return verify(hash, bytes, key, signature);
    const spki = Uint8Array.from(key.export({ type: "spki", format: "der" }));
    const known = await crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-521" }, false, [
      "verify",
    ]);
    const pair = readInside(readElements(signature)[0]).map((number) => toFixed(contentOf(number, tags.integer), 66));
    const algorithm = { name: "ECDSA", hash: hash.replace("sha", "SHA-") };
    return await crypto.subtle.verify(algorithm, known, Uint8Array.from(Buffer.concat(pair)), Uint8Array.from(bytes));
  } catch {
    return false; // What is no signature at all, some runtimes throw on.
  }
}

/** An unsigned integer of DER in `length` bytes. */
function toFixed(number: Buffer, length: number): Buffer {
  const digits = number[0] === 0 ? number.subarray(1) : number;
  return Buffer.concat([Buffer.alloc(length - digits.length), digits]);
}

/** Names a key in bundles and policies, as Python's `model_signing` does: SHA-256 in hex of the public key in PEM. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "pem" }))
    .digest("hex");
}

function readKey(read: () => KeyObject, source: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new DeployError("E_FILE", `Cannot read key ${source}: text is no key in PEM without a password`, { cause });
  }
  hashOf(key, source);
  return key;
}

function hashOf(key: KeyObject, source = ""): string {
  const hash = hashes.get(curveOf(key));
  if (hash !== undefined) return hash;
  const known = "P-256, P-384, P-521";
  throw new DeployError("E_FILE", `Cannot use key ${source}: it is ${curveOf(key)}, expected an EC key of ${known}`);
}

function curveOf(key: KeyObject): string {
  return key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? "unknown";
}
