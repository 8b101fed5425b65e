import { createHash } from "node:crypto";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { html, raw } from "hono/html";
import { z } from "zod";
import type { Env } from "./env.ts";
import type { Guard } from "./guard.ts";
import { describe } from "./openapi.ts";

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
  h2 { border-top: 1px solid #cdd3dc; padding-top: 1.5rem; font-size: 1.1rem; }
  h2 code { font-size: 1rem; } .method { text-transform: uppercase; color: #0b5cad; }
  pre { background: #f3f5f8; padding: 1rem; overflow: auto; max-height: 24rem; font-size: .85rem; }
  @media (prefers-color-scheme: dark) { body { background: #14181f; color: #dde3ec; } pre { background: #1f252f; } }
`;

/** No script at all, and no style but the page's own. */
const styleHash = createHash("sha256").update(style).digest("base64");
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

const Body = z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.unknown() })).optional() });
const Operation = z.looseObject({
  summary: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z
    .array(z.looseObject({ name: z.string(), in: z.string(), description: z.string().optional() }))
    .optional(),
  requestBody: Body.optional(),
  responses: z.record(z.string(), Body.extend({ description: z.string().optional() })),
});
type Operation = z.infer<typeof Operation>;
const Paths = z.record(z.string(), z.record(z.string(), Operation));

/** `/docs`: the description as a page. A browser asks for the key: any user name, the key as password. */
export function addDocs(app: OpenAPIHono<Env>, described: OpenAPIHono<Env>, guard: Guard): void {
  app.get("/docs", guard("read", { basic: true }), (c) => {
    c.header("content-security-policy", policy);
    return c.html(pageOf(Paths.parse(describe(described).paths)));
  });
}

function pageOf(paths: z.infer<typeof Paths>) {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationOf(path, method, operation)),
  );
  return html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sluice</title>
<style>${raw(style)}</style>
<h1>Sluice</h1>
<p>Every route of this service. The same as OpenAPI 3.1: <a href="/openapi.json">/openapi.json</a>.</p>
${operations}
</html>`;
}

function operationOf(path: string, method: string, operation: Operation) {
  const scopes = (operation.security ?? []).flatMap((security) => Object.values(security).flat());
  return html`<h2 id="${method} ${path}"><code><span class="method">${method}</span> ${path}</code></h2>
<p>${operation.summary ?? ""} ${scopes.length === 0 ? "No key is needed." : `Needs a key with scope ${scopes.join(", ")}.`}</p>
${(operation.parameters ?? []).map((one) => html`<p><code>${one.name}</code> (${one.in}): ${one.description ?? ""}</p>`)}
${bodyOf("Request", operation.requestBody)}
${Object.entries(operation.responses).map(([status, response]) => {
  const title = `${status}: ${response.description ?? ""}`;
  return Number(status) < 300 ? bodyOf(title, response) : html`<p>${title}</p>`;
})}`;
}

function bodyOf(title: string, body: z.infer<typeof Body> | undefined) {
  return Object.entries(body?.content ?? {}).map(
    ([type, { schema }]) =>
      html`<details><summary>${title} (${type})</summary><pre>${JSON.stringify(schema, undefined, 2)}</pre></details>`,
  );
}
