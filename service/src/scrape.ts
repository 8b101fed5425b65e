import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Deps } from "./app.ts";
import type { Env } from "./env.ts";
import type { Guard } from "./guard.ts";
import { guardedRoute } from "./route.ts";

const metrics = guardedRoute("metrics", {
  method: "get",
  path: "/metrics",
  operationId: "metrics",
  summary: "Metrics in Prometheus's text format",
  tags: ["operations"],
  responses: { 200: { description: "Metrics", content: { "text/plain": { schema: z.string() } } } },
});

/** `/metrics`, for Prometheus to scrape with a key of scope `metrics`. */
export function addScrape(app: OpenAPIHono<Env>, { telemetry }: Deps, guard: Guard): void {
  app.openapi({ ...metrics, middleware: guard("metrics") }, async () => {
    const text = await telemetry.scrape();
    return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
  });
}
