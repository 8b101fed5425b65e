import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { Release } from "../../pipeline/src/spec/release.ts";
import { Proof } from "../../pipeline/src/spec/statement.ts";
import type { Deps } from "./app.ts";
import type { Env } from "./env.ts";
import type { Guard } from "./guard.ts";
import { type JsonSchema, type Model, strictObject } from "./model.ts";
import { guardedRoute } from "./route.ts";

const ModelEntry = z
  .strictObject({
    name: z.string(),
    version: z.string(),
    digest: z.string(),
    description: z.string(),
    license: z.string(),
    predict: z.string().openapi({ description: "Path of its typed predict route" }),
  })
  .openapi("ModelEntry");

const models = guardedRoute("read", {
  method: "get",
  path: "/v1/models",
  operationId: "models",
  summary: "The models of this service",
  tags: ["about"],
  responses: {
    200: {
      description: "Every model and version",
      content: { "application/json": { schema: z.strictObject({ models: z.array(ModelEntry) }) } },
    },
  },
});

const { $schema: _, ...releaseSchema } = z.toJSONSchema(Release);
const { $schema: __, ...proofSchema } = z.toJSONSchema(Proof);

const aboutProperties: Record<string, JsonSchema> = {
  release: { anyOf: [releaseSchema, { type: "null" }], description: "null when started without a release record" },
  proof: { anyOf: [proofSchema, { type: "null" }], description: "What admitted the release: a digest of each report" },
  revision: { type: ["string", "null"] },
};
const About = strictObject(aboutProperties);

const release = guardedRoute("read", {
  method: "get",
  path: "/v1/release",
  operationId: "release",
  summary: "The release that answers",
  tags: ["about"],
  responses: { 200: { description: "Release and revision", content: { "application/json": { schema: About } } } },
});

/** `/v1/models` and `/v1/release`: what is served here. */
export function addAbout(app: OpenAPIHono<Env>, deps: Deps, guard: Guard): void {
  const mayRead = guard("read");
  app.openapi({ ...models, middleware: mayRead }, (c) => c.json({ models: deps.models.all.map(entryOf) }, 200));
  app.openapi({ ...release, middleware: mayRead }, (c) =>
    c.json({ release: deps.release ?? null, proof: deps.proof ?? null, revision: deps.revision ?? null }, 200),
  );
}

function entryOf({ name, version, digest, manifest }: Model) {
  const { description, license } = manifest;
  return { name, version, digest, description, license, predict: `/v1/models/${name}/versions/${version}/predict` };
}
