import type { OpenAPIHono, z } from "@hono/zod-openapi";
import type { TensorSpec } from "../../../pipeline/src/spec/manifest.ts";
import type { Deps } from "../app.ts";
import type { Ctx, Env } from "../env.ts";
import type { Guard } from "../guard.ts";
import { requireReady } from "../health.ts";
import type { Model } from "../model.ts";
import { guardedRoute, idOf } from "../route.ts";
import { datatypeOf } from "./names.ts";
import { Live, ModelMetadata, ModelReady, Ready, ServerMetadata } from "./schema.ts";

/** Metadata and health of the Open Inference Protocol. */
export function addV2About(app: OpenAPIHono<Env>, deps: Deps, guard: Guard): void {
  const mayRead = guard("read");
  const get = (path: string, operationId: string, summary: string, schema: z.ZodType, mayBeLoading = false) => ({
    ...guardedRoute(
      "read",
      {
        method: "get" as const,
        path,
        operationId,
        summary,
        tags: ["v2"],
        responses: { 200: { description: summary, content: { "application/json": { schema } } } },
      },
      mayBeLoading ? ["not-ready"] : [],
    ),
    middleware: mayRead,
  });
  const json = (body: z.core.util.JSONType) => Response.json(body);
  app.openapi(get("/v2", "v2-server", "The server", ServerMetadata), () => json(server));
  app.openapi(get("/v2/health/live", "v2-live", "Whether the server answers", Live), () => json({ live: true }));
  app.openapi(get("/v2/health/ready", "v2-ready", "Whether all models are ready", Ready, true), () => {
    requireReady(deps.readiness);
    return json({ ready: true });
  });
  for (const model of deps.models.all) {
    const newest = deps.models.find(model.name) === model;
    for (const path of pathsOf(model, newest)) {
      const [whatId, readyId] = [idOf("v2-model", model, path), idOf("v2-ready", model, path)];
      const what = get(path, whatId, `What ${model.name} takes and gives`, ModelMetadata);
      app.openapi(what, () => json(metadataOf(model, deps)));
      app.openapi(get(`${path}/ready`, readyId, `Whether ${model.name} is ready`, ModelReady, true), () => {
        requireReady(deps.readiness);
        return json({ name: model.name, ready: true });
      });
    }
  }
  for (const path of ["/v2/models/:name", "/v2/models/:name/versions/:version"]) {
    app.get(path, mayRead, (c) => json(metadataOf(findModel(c, deps), deps)));
    app.get(`${path}/ready`, mayRead, (c) => json({ name: findModel(c, deps).name, ready: true }));
  }
}

const server = { name: "sluice", version: "1", extensions: ["binary_tensor_data"] };

/** The protocol's paths of a model: with its version, and without it for the newest. */
export function pathsOf({ name, version }: Model, newest: boolean): string[] {
  const path = `/v2/models/${name}`;
  return newest ? [path, `${path}/versions/${version}`] : [`${path}/versions/${version}`];
}

/** The model that the path names; throws the problem `model-unknown`. */
export function findModel(c: Ctx, { models }: Deps): Model {
  return models.find(c.req.param("name") ?? "", c.req.param("version"));
}

function metadataOf({ name, manifest }: Model, { models }: Deps) {
  const versions = models.all.filter((other) => other.name === name).map((other) => other.version);
  const [inputs, outputs] = [manifest.inputs.map(tensorOf), manifest.outputs.map(tensorOf)];
  return { name, versions, platform: "onnxruntime_onnx", inputs, outputs };
}

function tensorOf({ name, dtype, shape }: TensorSpec) {
  return { name, datatype: datatypeOf[dtype], shape: shape.map((size) => (typeof size === "number" ? size : -1)) };
}
