import type { MiddlewareHandler } from "hono";
import type { Scope } from "../../pipeline/src/spec/keys.ts";
import type { Env } from "./env.ts";
import type { Keyring } from "./keyring.ts";
import { Problem } from "./problem.ts";
import type { RateLimit } from "./rate.ts";

/** Makes the middleware in front of every route that needs a scope. */
export type Guard = (scope: Scope, options?: GuardOptions) => MiddlewareHandler<Env>;

/** `basic` also takes the token as the password of HTTP Basic, for pages: a browser can ask for nothing else. */
type GuardOptions = { basic?: boolean };

type Parts = { keyring: Keyring; rateLimit: RateLimit; now: () => number };

const challenge = 'Bearer realm="sluice"';

/** Lets a request through whose bearer token has the scope and whose principal is within its rate. */
export function createGuard({ keyring, rateLimit, now }: Parts): Guard {
  return (scope, { basic = false } = {}) =>
    async (c, next) => {
      const principal = await authenticate(c.req.raw.headers.get("authorization"), keyring, { now: now(), basic });
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

async function authenticate(header: string | null, keyring: Keyring, { now, basic }: { now: number; basic: boolean }) {
  const wanted = basic ? `${challenge}, Basic realm="sluice"` : challenge;
  if (header === null) {
    throw new Problem("credentials-missing", "Cannot answer: the request has no Authorization header", {
      headers: { "www-authenticate": wanted },
    });
  }
  const token = tokenOf(header, basic);
  const principal = token === undefined ? undefined : await keyring.verify(token, now);
  if (principal !== undefined) return principal;
  throw new Problem("credentials-invalid", "Cannot answer: the bearer token is unknown, expired or revoked", {
    headers: { "www-authenticate": basic ? wanted : `${challenge}, error="invalid_token"` },
  });
}

function tokenOf(header: string, basic: boolean): string | undefined {
  if (/^bearer /i.test(header)) return header.slice(7).trim();
  if (!basic || !/^basic /i.test(header)) return undefined;
  const pair = Buffer.from(header.slice(6).trim(), "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}
