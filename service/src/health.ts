import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";
import type { Readiness } from "./readiness.ts";
import { problemResponses } from "./route.ts";

const ok = { description: "Yes", content: { "text/plain": { schema: z.literal("ok") } } };

const livez = createRoute({
  method: "get",
  path: "/livez",
  operationId: "live",
  summary: "Whether the process answers",
  tags: ["health"],
  security: [],
  responses: { 200: ok },
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  operationId: "ready",
  summary: "Whether the process may be sent requests: digests and golden outputs agreed, and it does not drain",
  tags: ["health"],
  security: [],
  responses: { 200: ok, ...problemResponses(["not-ready"]) },
});

/** `/livez` and `/readyz`: the only routes without a key. */
export function addHealth(app: OpenAPIHono<Env>, readiness: Readiness): void {
  app.openapi(livez, (c) => c.text("ok", 200));
  app.openapi(readyz, (c) => {
    requireReady(readiness);
    return c.text("ok", 200);
  });
}

/** Throws the problem `not-ready` unless requests may be sent here. */
export function requireReady(readiness: Readiness): void {
  if (readiness.phase !== "ready") throw notReady(readiness);
}

/** Throws the problem `not-ready` while models are not proven yet. A process that drains still answers. */
export function requireLoaded(readiness: Readiness): void {
  if (readiness.phase === "loading") throw notReady(readiness);
}

function notReady({ phase }: Readiness): Problem {
  return new Problem("not-ready", `The service is ${phase}; try again in 1 s`, { headers: { "retry-after": "1" } });
}
