import { Scope } from "../../spec/keys.ts";
import type { Ask } from "./ask.ts";
import { ask, type Context, expect, expectProblem, type HeldKey, type Probe } from "./context.ts";
import { pathOf } from "./described.ts";
import type { Described } from "./openapi.ts";

/** Routes that anybody may see. */
const open = ["/livez", "/readyz"];

/** Routes that are guarded wherever they exist, even when the description forgets them. */
const guarded = ["/openapi.json", "/docs", "/metrics", "/v1/models", "/v1/release", "/v2", "/v2/models", "/debug"];

interface Route {
  ask: Ask;
  label: string;
  scope: Scope;
}

/** No route but the health routes answers without a good key, and no key does more than its scopes say. */
export function authProbes(context: Context): Probe[] {
  const routes = context.description.operations.flatMap((described) => routeOf(context, described));
  const known = new Set(routes.map((route) => route.ask.path));
  return [
    ...routes.flatMap((route) => keylessProbes(context, route)),
    ...guarded.filter((path) => !known.has(path)).map((path) => undescribedProbe(context, path)),
    ...routes.slice(0, 1).map((route) => lowerCaseProbe(context, route)),
    ...context.otherKeys.flatMap((held) => routes.map((route) => scopeProbe(context, held, route))),
  ];
}

function keylessProbes(context: Context, route: Route): Probe[] {
  const { service, key } = context;
  const wrong: [string, Ask["headers"], string | undefined][] = [
    ["without a key", {}, "credentials-missing"],
    ["with an unknown key", { authorization: `Bearer sluice_nobody_${"A".repeat(32)}` }, "credentials-invalid"],
    ["with a changed key", { authorization: `Bearer ${changed(key)}` }, "credentials-invalid"],
    ["with a key in a basic header", { authorization: `Basic ${key}` }, undefined],
  ];
  return wrong.map(([how, headers, code]) => ({
    name: `${route.label} ${how} is 401`,
    async run() {
      const answer = await ask(context, { ...route.ask, headers: { ...route.ask.headers, ...headers } });
      expectProblem(answer, 401, code, service);
      const challenge = answer.headers.get("www-authenticate") ?? "none";
      expect(/^bearer\b/i.test(challenge), `WWW-Authenticate is ${challenge}, expected Bearer`, answer, service);
    },
  }));
}

function undescribedProbe(context: Context, path: string): Probe {
  return {
    name: `GET ${path} without a key is 401, or not there`,
    async run() {
      const answer = await ask(context, { method: "GET", path });
      expectProblem(answer, answer.status === 404 ? 404 : 401, undefined, context.service);
    },
  };
}

function lowerCaseProbe(context: Context, route: Route): Probe {
  const { service, key } = context;
  return {
    name: `${route.label} takes the scheme in lower case`,
    async run() {
      const headers = { ...route.ask.headers, authorization: `bearer ${key}` };
      const answer = await ask(context, { ...route.ask, headers });
      expect(answer.status !== 401, "status is 401, expected the key to be taken", answer, service);
    },
  };
}

function scopeProbe(context: Context, held: HeldKey, route: Route): Probe {
  const { service } = context;
  const allowed = held.scopes.includes(route.scope);
  return {
    name: `${route.label} with key ${held.name} is ${allowed ? "allowed" : "403"}`,
    async run() {
      const answer = await ask(context, { ...route.ask, key: held.key });
      if (!allowed) return void expectProblem(answer, 403, "scope-missing", service);
      const refused = answer.status === 401 || answer.status === 403;
      expect(!refused, `status is ${answer.status}, expected scope ${route.scope} to be enough`, answer, service);
    },
  };
}

function routeOf(context: Context, described: Described): Route[] {
  const { template, method } = described;
  const path = pathOf(context, template);
  if (path === undefined || open.includes(path)) return [];
  const upper = method.toUpperCase();
  const json = { "content-type": "application/json" };
  const body = method === "post" ? { headers: json, body: JSON.stringify(context.golden.cases[0]?.request ?? {}) } : {};
  return [{ ask: { method: upper, path, ...body }, label: `${upper} ${template}`, scope: scopeOf(described) }];
}

/** The scope that an operation's own security names; a described route without one counts as `predict` or `read`. */
function scopeOf({ method, operation }: Described): Scope {
  const named = (operation.security ?? []).flatMap((scheme) => Object.values(scheme).flat());
  const known = named.map((name) => Scope.safeParse(name)).find((scope) => scope.success);
  return known?.data ?? (method === "post" ? "predict" : "read");
}

/** The same key with its last character another. */
function changed(key: string): string {
  return key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
}
