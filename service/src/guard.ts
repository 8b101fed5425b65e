import type { MiddlewareHandler } from "hono";
import type { Scope } from "../../pipeline/src/spec/keys.ts";
import type { Env } from "./env.ts";
import type { Keyring } from "./keyring.ts";
import { Problem } from "./problem.ts";
import type { RateLimit } from "./rate.ts";

/** Makes the middleware in front of every route that needs a scope. */
export type Guard = (scope: Scope) => MiddlewareHandler<Env>;

type Parts = { keyring: Keyring; rateLimit: RateLimit; now: () => number };

const challenge = 'Bearer realm="sluice"';

/** Lets a request through whose bearer token has the scope and whose principal is within its rate. */
export function createGuard({ keyring, rateLimit, now }: Parts): Guard {
  return (scope) => async (c, next) => {
    const principal = await authenticate(c.req.raw.headers.get("authorization"), keyring, now());
    c.set("principal", principal);
    if (!principal.scopes.has(scope)) {
      throw new Problem("scope-missing", `Cannot answer: ${principal.id} lacks the scope ${scope}`, {
        headers: { "www-authenticate": `${challenge}, error="insufficient_scope", scope="${scope}"` },
      });
    }
    const left = await rateLimit(principal.id);
    await next();
    const { headers } = c.res;
    for (const name in left) headers.set(name, left[name] ?? "");
  };
}

async function authenticate(header: string | null, keyring: Keyring, now: number) {
  if (header === null) {
    throw new Problem("credentials-missing", "Cannot answer: the request has no Authorization header", {
      headers: { "www-authenticate": challenge },
    });
  }
  const principal = /^bearer /i.test(header) ? await keyring.verify(header.slice(7).trim(), now) : undefined;
  if (principal !== undefined) return principal;
  throw new Problem("credentials-invalid", "Cannot answer: the bearer token is unknown, expired or revoked", {
    headers: { "www-authenticate": `${challenge}, error="invalid_token"` },
  });
}
