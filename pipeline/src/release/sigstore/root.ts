import { createPublicKey, type KeyObject } from "node:crypto";
import { DeployError } from "../../spec/error.ts";
import { readJson } from "../../spec/read.ts";
import { TrustedRoot } from "../../spec/sigstore.ts";
import { type Certificate, readCertificate } from "../certificate.ts";

/** When something is good, in milliseconds since the epoch. */
type Period = { from: number; to: number };

/** A log's key, by its id in base64. */
export type Log = { id: string; key: KeyObject; period: Period };

/** An authority: the root that is trusted, and the certificates between it and its leaves. */
export type Authority = { root: Certificate; between: Certificate[]; period: Period };

/** A Sigstore trust root, its keys and certificates read. */
export type SigstoreRoot = {
  logs: Log[];
  certificateLogs: Log[];
  authorities: Authority[];
  timestampAuthorities: Authority[];
};

/** Reads a `trusted_root.json`; throws `E_FILE`. */
export async function readSigstoreRoot(path: string): Promise<SigstoreRoot> {
  return toRoot(await readJson(path, TrustedRoot), path);
}

/** Reads the keys and certificates of a trust root that came from `source`; throws `E_FILE`. */
export function toRoot(found: TrustedRoot, source: string): SigstoreRoot {
  const toLogs = (logs: TrustedRoot["tlogs"]) => logs.flatMap((log) => toLog(log, source));
  const toAuthorities = (authorities: TrustedRoot["certificateAuthorities"]) =>
    authorities.map((authority) => toAuthority(authority, source));
  return {
    logs: toLogs(found.tlogs),
    certificateLogs: toLogs(found.ctlogs),
    authorities: toAuthorities(found.certificateAuthorities),
    timestampAuthorities: toAuthorities(found.timestampAuthorities),
  };
}

/** Nothing for an old log whose key is in a form of its own (PKCS #1): it vouches for nothing here. */
function toLog({ logId, publicKey }: TrustedRoot["tlogs"][number], source: string): Log[] {
  if (publicKey.keyDetails?.startsWith("PKCS1_") === true) return [];
  return [{ id: logId.keyId, key: readKey(publicKey.rawBytes, source), period: toPeriod(publicKey.validFor) }];
}

function toAuthority(
  { certChain, validFor }: TrustedRoot["certificateAuthorities"][number],
  source: string,
): Authority {
  const chain = certChain.certificates.map(({ rawBytes }) => readCertificate(Buffer.from(rawBytes, "base64")));
  const root = chain.at(-1);
  if (root === undefined) throw new DeployError("E_FILE", `Cannot use ${source}: an authority has no certificate`);
  return { root, between: chain.slice(0, -1), period: toPeriod(validFor) };
}

/** The log with id `id`, where it was good at `atMs`. */
export function findLog(logs: readonly Log[], id: string | undefined, atMs: number): Log | undefined {
  return logs.find((log) => log.id === id && isIn(log.period, atMs));
}

export function isIn({ from, to }: Period, atMs: number): boolean {
  return from <= atMs && atMs <= to;
}

function readKey(der: string, source: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(der, "base64"), format: "der", type: "spki" });
  } catch (cause) {
    throw new DeployError("E_FILE", `Cannot use ${source}: a log's public key is no key in DER`, { cause });
  }
}

function toPeriod({ start, end }: { start?: string | undefined; end?: string | undefined } = {}): Period {
  return {
    from: start === undefined ? Number.NEGATIVE_INFINITY : Date.parse(start),
    to: end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end),
  };
}
