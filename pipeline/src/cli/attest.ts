import type { KeyObject } from "node:crypto";
import { resolve } from "node:path";
import { judgeTrust } from "../decide/trust.ts";
import { attestationPath, isSignedFor, seeAttestation, writeAttestation } from "../release/attestation.ts";
import { keyId, readPrivateKey } from "../release/ec.ts";
import { readRecord } from "../release/record.ts";
import { stateRelease } from "../release/statement.ts";
import { DeployError } from "../spec/error.ts";
import { readText } from "../spec/read.ts";
import { explain } from "../spec/verdict.ts";
import { findRollout } from "./evidence.ts";
import type { Host } from "./host.ts";
import { thisMaker } from "./maker.ts";

/**
 * Writes the attestation of an admitted release: what was proven of it, and how its newest rollout ended. It is signed where a
 * key is configured; where none is, a signed one stays as it is. Says in words what is there now.
 */
export async function attest(host: Host, id: string): Promise<string> {
  const path = attestationPath(host.releasesDir, id);
  const key = await signingKeyOf(host);
  const record = await readRecord(host.releasesDir, id);
  if (key === undefined && (await isSignedFor(path, record))) {
    return `attestation: signed before, and not renewed without a key; next: sluice release create ${id} --key FILE`;
  }
  const statement = stateRelease(record, await thisMaker(), await findRollout(host.store, id));
  await writeAttestation(path, statement, key === undefined ? [] : [key]);
  if (key === undefined) return "attestation: unsigned, no signing key is configured";
  return `attestation: signed by key ${keyId(key).slice(0, 12)}`;
}

/** The same for a rollout that has ended: what goes wrong is said, and changes nothing of how it ended. */
export async function attestEnd(host: Host, id: string): Promise<string> {
  try {
    return await attest(host, id);
  } catch (error) {
    if (error instanceof DeployError) return `attestation: not renewed; ${error.message}`;
    throw error;
  }
}

/** Throws `E_GATE` where the environment takes signed releases only, and no key is here to sign with. */
export async function demandSigner(host: Host): Promise<void> {
  if (placeOf(host)?.unsigned !== "refuse" || (await signingKeyOf(host)) !== undefined) return;
  const { environment } = host.place;
  throw new DeployError(
    "E_GATE",
    `Cannot release: ${environment} refuses unsigned releases, and no signing key is configured; next: --signing-key FILE`,
  );
}

/** Throws `E_GATE` unless the environment trusts the release's attestation, by whomever it is signed. */
export async function demandTrusted(host: Host, id: string): Promise<void> {
  const { trusted, environment } = host.trust;
  const record = await readRecord(host.releasesDir, id);
  const signed = await seeAttestation(attestationPath(host.releasesDir, id), record, trusted);
  const { verdict } = judgeTrust(signed, trusted.policy, environment, Date.now());
  if (verdict.kind === "pass") return;
  throw new DeployError("E_GATE", `Cannot use release ${id}: ${explain(verdict)}; next: sluice release show ${id}`);
}

async function signingKeyOf(host: Host): Promise<KeyObject | undefined> {
  const given = host.place.signingKey ?? placeOf(host)?.signingKey;
  if (given === undefined) return undefined;
  const path = resolve(host.place.source, given);
  return readPrivateKey(await readText(path), path);
}

function placeOf({ trust: { trusted, environment } }: Host) {
  const { environments } = trusted.policy;
  return Object.hasOwn(environments, environment) ? environments[environment] : undefined;
}
