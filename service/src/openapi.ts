import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Env } from "./env.ts";
import type { Guard } from "./guard.ts";
import { guardedRoute } from "./route.ts";

const description = guardedRoute("read", {
  method: "get",
  path: "/openapi.json",
  operationId: "openapi",
  summary: "This description: OpenAPI 3.1, made of the same route objects that answer",
  tags: ["about"],
  responses: {
    200: {
      description: "OpenAPI 3.1",
      content: { "application/json": { schema: z.looseObject({ openapi: z.string() }) } },
    },
  },
});

/** The description of an app's routes. */
export function describe(app: OpenAPIHono<Env>) {
  return app.getOpenAPI31Document(info);
}

/** `/openapi.json`: describes the routes of `described`, as they are when it is first asked for. */
export function addOpenApi(app: OpenAPIHono<Env>, described: OpenAPIHono<Env>, guard: Guard): void {
  described.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key or a JWT; the scopes that a route needs are listed with it",
  });
  let text: string | undefined;
  app.openapi({ ...description, middleware: guard("read", { basic: true }) }, () => {
    text ??= JSON.stringify(describe(described));
    return new Response(text, { headers: { "content-type": "application/json" } });
  });
}

const info = {
  openapi: "3.1.0",
  info: {
    title: "Sluice",
    version: "1.0.0",
    description: "Serves ONNX models",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: "/" }],
};
