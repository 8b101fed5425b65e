import { timingSafeEqual } from "node:crypto";
import { digestKey, idOfKey } from "../../pipeline/src/release/key.ts";
import type { KeyEntry, KeyFile, Scope } from "../../pipeline/src/spec/keys.ts";

/** Who asks: an id for logs, limits and queues, and what it may do. */
export type Principal = { id: string; scopes: ReadonlySet<Scope> };

/** Tells whose a bearer token is; undefined when it is nobody's, or not valid at `now` (milliseconds). */
export type Keyring = { verify(token: string, now: number): Principal | undefined | Promise<Principal | undefined> };

type Known = { digest: Buffer; principal: Principal; endsAt: number };

const nobody = Buffer.from(digestKey("nobody"));

/** A keyring of the keys in a file. */
export function createKeyring(file: KeyFile): Keyring {
  const known = new Map<string, Known>(file.keys.map((entry) => [entry.id, knownOf(entry)]));
  return {
    verify(token, now) {
      const id = idOfKey(token);
      const entry = id === undefined ? undefined : known.get(id);
      // An unknown id costs the same comparison as a known one.
      const same = timingSafeEqual(Buffer.from(digestKey(token)), entry?.digest ?? nobody);
      return same && entry !== undefined && now < entry.endsAt ? entry.principal : undefined;
    },
  };
}

/** Asks each keyring in turn. */
export function joinKeyrings(keyrings: readonly Keyring[]): Keyring {
  return {
    async verify(token, now) {
      for (const keyring of keyrings) {
        const principal = await keyring.verify(token, now);
        if (principal !== undefined) return principal;
      }
      return undefined;
    },
  };
}

function knownOf({ id, digest, scopes, expiresAt, revokedAt }: KeyEntry): Known {
  const ends = [expiresAt, revokedAt].map((time) => (time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time)));
  return { digest: Buffer.from(digest), principal: { id, scopes: new Set(scopes) }, endsAt: Math.min(...ends) };
}
