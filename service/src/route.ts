import { createRoute, type RouteConfig } from "@hono/zod-openapi";
import type { Scope } from "../../pipeline/src/spec/keys.ts";
import type { Model } from "./model.ts";
import { ProblemBody, type ProblemCode, problems, problemType } from "./problem.ts";

/** The problems that any route behind a key can answer with. */
const guardProblems: ProblemCode[] = ["credentials-missing", "credentials-invalid", "scope-missing", "rate-limited"];

/** The `responses` of a route for the problems that it can answer with, by status. */
export function problemResponses(codes: readonly ProblemCode[]): RouteConfig["responses"] {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(problems[code][0], [...(byStatus.get(problems[code][0]) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, known]) => [
      status,
      {
        description: known.join(", "),
        content: { [problemType]: { schema: ProblemBody } },
        headers: headersOf(status),
      },
    ]),
  );
}

/** The `operationId` of a model's route; a route that names the version has one of its own. */
export function idOf(what: string, { name, version }: Pick<Model, "name" | "version">, path: string): string {
  return path.includes("/versions/") ? `${what}-${name}-${version}` : `${what}-${name}`;
}

function headersOf(status: number) {
  const text = { type: "string" } as const;
  if (status === 401) return { "WWW-Authenticate": { required: true, schema: text } };
  if (status === 429 || status === 503) return { "Retry-After": { schema: text } };
  return {};
}

/** A route behind a key with `scope`. */
export function guardedRoute<R extends RouteConfig>(scope: Scope, route: R, codes: readonly ProblemCode[] = []) {
  return createRoute({
    ...route,
    security: [{ bearer: [scope] }],
    responses: { ...route.responses, ...problemResponses([...guardProblems, ...codes, "internal"]) },
  });
}
