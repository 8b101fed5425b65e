import { createRoute, type OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { Deps } from "./app.ts";
import { askProblems, deadlineOf, headerParameters, json, octets } from "./ask.ts";
import { contentTypeOf, readBody } from "./body.ts";
import type { Ctx, Env } from "./env.ts";
import type { Guard } from "./guard.ts";
import { requireLoaded } from "./health.ts";
import { answerOnce } from "./idempotency/once.ts";
import { decodeText } from "./json.ts";
import { type Model, strictObject } from "./model.ts";
import { guardedRoute, idOf } from "./route.ts";

/** A typed predict route for each model, and one for each of its versions. */
export function addPredict(app: OpenAPIHono<Env>, deps: Deps, guard: Guard): void {
  const mayPredict = guard("predict");
  for (const model of deps.models.all) {
    const handler = (c: Ctx) => predict(c, deps, model);
    const paths = [`/v1/models/${model.name}/versions/${model.version}/predict`];
    if (deps.models.find(model.name) === model) paths.unshift(`/v1/models/${model.name}/predict`);
    for (const path of paths) app.openapi(createRoute({ ...routeOf(model, path), middleware: mayPredict }), handler);
  }
  app.post("/v1/models/:name/predict", mayPredict, (c) => predict(c, deps, deps.models.find(c.req.param("name"))));
  app.post("/v1/models/:name/versions/:version/predict", mayPredict, (c) =>
    predict(c, deps, deps.models.find(c.req.param("name"), c.req.param("version"))),
  );
}

async function predict(c: Ctx, deps: Deps, model: Model): Promise<Response> {
  requireLoaded(deps.readiness);
  const request = c.req.raw;
  const type = contentTypeOf(request, model.takesBytes ? [json, octets] : [json]);
  const deadlineMs = deadlineOf(request);
  const bytes = await readBody(request, deps.limits);
  return await answerOnce(c, deps.idempotency, { body: bytes, now: deps.now }, async () => {
    const input =
      type === json ? ({ kind: "json", text: decodeText(bytes) } as const) : ({ kind: "bytes", bytes } as const);
    const principal = c.get("principal").id;
    const signal = () => c.req.raw.signal;
    const { json: output, times } = await model.pool.submit({
      input,
      wantOutputs: false,
      principal,
      signal,
      ...deadlineMs,
    });
    c.get("trace")?.answered(times);
    const head = `{"model":{"name":"${model.name}","version":"${model.version}"}`;
    const middle = deps.release === undefined ? "" : `,"release":"${deps.release.id}"`;
    return new Response(`${head}${middle},"output":${output}}`, { headers: { "content-type": json } });
  });
}

function routeOf(model: Model, path: string): RouteConfig {
  const body = { [json]: { schema: model.requestSchema } };
  const raw = { [octets]: { schema: { type: "string", format: "binary", minLength: 1 } } } as const;
  return guardedRoute(
    "predict",
    {
      method: "post",
      path,
      operationId: idOf("predict", model, path),
      summary: `Ask ${model.name}: ${model.manifest.description}`,
      tags: ["predict"],
      parameters: headerParameters,
      request: {
        body: { required: true, content: model.takesBytes ? { ...body, ...raw } : body },
      },
      responses: {
        200: { description: "The model's answer", content: { [json]: { schema: answerSchema(model) } } },
      },
    },
    askProblems,
  );
}

function answerSchema({ name, version, responseSchema }: Model) {
  const model = strictObject({ name: { const: name }, version: { const: version } });
  return strictObject({ model, release: { type: "string" }, output: responseSchema }, ["model", "output"]);
}
