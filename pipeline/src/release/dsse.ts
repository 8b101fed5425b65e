import type { KeyObject } from "node:crypto";
import type { Envelope } from "../spec/dsse.ts";
import { DeployError } from "../spec/error.ts";
import { keyId, signBytes, verifyBytes } from "./ec.ts";
import { UnknownSigner } from "./unknown-signer.ts";

/** Signs `payload` with every one of `keys`, into an envelope that names them. */
export function sealEnvelope(payload: Uint8Array, payloadType: string, keys: readonly KeyObject[]): Envelope {
  const bytes = authenticated(payloadType, payload);
  return {
    payload: Buffer.from(payload).toString("base64"),
    payloadType,
    signatures: keys.map((key) => ({
      sig: Buffer.from(signBytes(key, bytes)).toString("base64"),
      keyid: keyId(key),
    })),
  };
}

/**
 * The payload of an envelope that came from `source`, and the ids of the keys that signed it. Every signature must be one of `keys`' own: an
 * envelope with one bad or unknown signature is refused with `E_DIGEST`, however many good ones it has.
 */
export function openEnvelope(
  envelope: Envelope,
  payloadType: string,
  keys: readonly KeyObject[],
  source: string,
): { payload: Buffer; signers: string[] } {
  if (envelope.payloadType !== payloadType) {
    throw new DeployError(
      "E_DIGEST",
      `Cannot accept ${source}: payload type is ${envelope.payloadType}, expected ${payloadType}`,
    );
  }
  if (envelope.signatures.length === 0) throw new DeployError("E_DIGEST", `Cannot accept ${source}: it is unsigned`);
  const payload = Buffer.from(envelope.payload, "base64");
  const bytes = authenticated(payloadType, payload);
  const signers = envelope.signatures.map(({ sig, keyid }) => {
    const candidates = keys.filter((key) => !keyid || keyId(key) === keyid);
    const signer = candidates.find((key) => verifyBytes(key, bytes, Buffer.from(sig, "base64")));
    if (signer !== undefined) return keyId(signer);
    const named = keyid ? `key ${keyid}` : "an unnamed key";
    if (candidates.length === 0) throw new UnknownSigner(`Cannot accept ${source}: ${named} is not trusted`);
    throw new DeployError("E_DIGEST", `Cannot accept ${source}: signature of ${named} does not fit its payload`);
  });
  return { payload, signers };
}

/** DSSE's pre-authentication encoding: what is signed, so that a payload can never pass for one of another type. */
export function authenticated(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}
