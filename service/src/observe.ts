import type { MiddlewareHandler } from "hono";
import { matchedRoutes, routePath } from "hono/route";
import type { Deps } from "./app.ts";
import type { Ctx, Env } from "./env.ts";
import { asProblem } from "./problem.ts";

/** Answers are data: a browser may do nothing with them. */
const policy = "default-src 'none'; frame-ancestors 'none'";

/** Where middleware is that stands before all routes. */
const everyPath = "/*";

/** The outermost middleware: ids and headers on every answer, one metric and one log line for every request. */
export function observe({ telemetry, log, newId, readiness, release, revision }: Deps): MiddlewareHandler<Env> {
  return async (c, next) => {
    const start = performance.now();
    c.set("requestId", newId());
    const trace = telemetry.tracing?.start(c.req.raw);
    c.set("trace", trace);
    await next();
    const { headers } = c.res;
    headers.set("x-request-id", c.get("requestId"));
    headers.set("cache-control", "no-store");
    headers.set("x-content-type-options", "nosniff");
    if (!headers.has("content-security-policy")) headers.set("content-security-policy", policy);
    if (readiness.phase === "draining") headers.set("connection", "close");
    if (release !== undefined) headers.set("x-sluice-release", release.id);
    if (revision !== undefined) headers.set("x-sluice-revision", revision);
    const durationMs = performance.now() - start;
    const served = { method: c.req.method, route: routeOf(c), status: c.res.status, durationMs };
    telemetry.served(served);
    trace?.end(served);
    log.write({
      level: served.status >= 500 && served.status !== 503 ? "error" : "info",
      message: "request",
      requestId: c.get("requestId"),
      traceId: trace?.traceId,
      spanId: trace?.spanId,
      principal: c.get("principal")?.id,
      ...served,
      ...reasonOf(c.error),
    });
  };
}

/** The pattern that answered, or would have, so that metrics have few labels; never the path that was asked. */
function routeOf(c: Ctx): string {
  const path = routePath(c);
  if (path !== everyPath) return path;
  return matchedRoutes(c).find((route) => route.path !== everyPath)?.path ?? "unmatched";
}

/** A problem's code, and for what the client is not told, the cause. */
function reasonOf(error: Error | undefined): Record<string, unknown> {
  if (error === undefined) return {};
  const problem = asProblem(error);
  if (problem.code === "internal") return { code: problem.code, cause: error.stack ?? error.message };
  if (problem.code !== "inference-failed") return { code: problem.code };
  return { code: problem.code, cause: problem.cause instanceof Error ? problem.cause.message : undefined };
}
