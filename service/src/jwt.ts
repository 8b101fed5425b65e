import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { z } from "zod";
import { Scope } from "../../pipeline/src/spec/keys.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import type { Keyring } from "./keyring.ts";
import { Problem } from "./problem.ts";

/** Signatures only, with public keys: a shared secret could forge what it checks. */
const Algorithm = z.enum(["ES256", "ES384", "EdDSA", "RS256", "PS256"]);

const Jwks = z.strictObject({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** `jwt.json`: whose tokens are believed. The keys are in a JWKS file or behind an https address. */
export const JwtFile = z.strictObject({
  schema: z.literal("sluice/jwt/v1"),
  issuer: z.string().min(1),
  audience: z.string().min(1),
  algorithms: z.array(Algorithm).min(1),
  jwks: z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ url: z.url({ protocol: /^https$/ }) })]),
});
export type JwtFile = z.infer<typeof JwtFile>;

/** The keys of a JWKS file; throws `E_FILE`. */
export async function readJwks(path: string): Promise<JWTVerifyGetKey> {
  return createLocalJWKSet(await readJson(path, Jwks));
}

/**
 * The keys behind an address: kept for ten minutes, asked again at once for an unknown key id, but then not for
 * `cooldownMs`, so that made-up key ids cost the issuer nothing.
 */
export function fetchJwks(url: string, { cooldownMs = 30_000 } = {}): JWTVerifyGetKey {
  const times = { cacheMaxAge: 600_000, cooldownDuration: cooldownMs, timeoutDuration: 5_000 };
  return createRemoteJWKSet(new URL(url), times);
}

/** Believes tokens of one issuer for one audience. The principal is `jwt:` and the subject; scopes are in claim `scope`. */
export function createJwtKeyring({ issuer, audience, algorithms }: JwtFile, keys: () => JWTVerifyGetKey): Keyring {
  return {
    async verify(token, now) {
      if (token.split(".", 4).length !== 3) return undefined;
      const options = { issuer, audience, algorithms, currentDate: new Date(now), requiredClaims: ["exp", "sub"] };
      try {
        return principalOf((await jwtVerify(token, keys(), options)).payload);
      } catch (cause) {
        if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError)) {
          const headers = { "retry-after": "5" };
          throw new Problem("credentials-unverifiable", "Cannot verify the token: its issuer's keys cannot be had", {
            headers,
            cause,
          });
        }
        return undefined;
      }
    },
  };
}

function principalOf({ sub, scope }: JWTPayload) {
  if (sub === undefined || sub === "" || sub.length > 255) return undefined;
  const words = typeof scope === "string" ? scope.split(" ") : [];
  return { id: `jwt:${sub}`, scopes: new Set(words.flatMap((word) => Scope.safeParse(word).data ?? [])) };
}
