import type { MiddlewareHandler } from "hono";
import type { Scope } from "../../pipeline/src/spec/keys.ts";
import type { Env } from "./env.ts";
import type { Keyring } from "./keyring.ts";
import { Problem } from "./problem.ts";

const challenge = 'Bearer realm="sluice"';

/** Lets a request through whose bearer token has `scope`, and leaves its principal for the handlers. */
export function requireScope(keyring: Keyring, now: () => number, scope: Scope): MiddlewareHandler<Env> {
  return async (c, next) => {
    const header = c.req.raw.headers.get("authorization");
    if (header === null) {
      throw new Problem("credentials-missing", "Cannot answer: the request has no Authorization header", {
        headers: { "www-authenticate": challenge },
      });
    }
    const principal = /^bearer /i.test(header) ? keyring.verify(header.slice(7).trim(), now()) : undefined;
    if (principal === undefined) {
      throw new Problem("credentials-invalid", "Cannot answer: the bearer token is unknown, expired or revoked", {
        headers: { "www-authenticate": `${challenge}, error="invalid_token"` },
      });
    }
    if (!principal.scopes.has(scope)) {
      throw new Problem("scope-missing", `Cannot answer: key ${principal.id} lacks the scope ${scope}`, {
        headers: { "www-authenticate": `${challenge}, error="insufficient_scope", scope="${scope}"` },
      });
    }
    c.set("principal", principal);
    await next();
  };
}
