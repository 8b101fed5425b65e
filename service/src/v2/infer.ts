import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Deps } from "../app.ts";
import { askProblems, deadlineOf, headerParameters, json, octets } from "../ask.ts";
import { contentTypeOf, readBody } from "../body.ts";
import type { Ctx, Env } from "../env.ts";
import type { Guard } from "../guard.ts";
import { requireLoaded } from "../health.ts";
import { answerOnce } from "../idempotency/once.ts";
import type { Model } from "../model.ts";
import { Problem } from "../problem.ts";
import { guardedRoute, idOf } from "../route.ts";
import { findModel, pathsOf } from "./about.ts";
import { decodeInputs, parseInfer } from "./decode.ts";
import { inferSchema } from "./document.ts";
import { encodeOutputs, wantedOutputs } from "./encode.ts";
import { InferResponse } from "./schema.ts";

const lengthHeader = "inference-header-content-length";

/** `infer` of the Open Inference Protocol: tensors in, tensors out, without the transformer. */
export function addInfer(app: OpenAPIHono<Env>, deps: Deps, guard: Guard): void {
  const mayPredict = guard("predict");
  for (const model of deps.models.all) {
    for (const path of pathsOf(model, deps.models.find(model.name) === model)) {
      const route = createRoute({ ...routeOf(model, `${path}/infer`), middleware: mayPredict });
      app.openapi(route, (c) => infer(c, deps, model));
    }
  }
  for (const path of ["/v2/models/:name/infer", "/v2/models/:name/versions/:version/infer"]) {
    app.post(path, mayPredict, (c) => infer(c, deps, findModel(c, deps)));
  }
}

async function infer(c: Ctx, deps: Deps, model: Model): Promise<Response> {
  requireLoaded(deps.readiness);
  // The protocol's clients send no content type: what the body is, the length header says.
  if (c.req.raw.headers.has("content-type")) contentTypeOf(c.req.raw, [json, octets]);
  const deadline = deadlineOf(c.req.raw);
  const jsonLength = jsonLengthOf(c.req.raw);
  const bytes = await readBody(c.req.raw, deps.limits);
  return await answerOnce(c, deps.idempotency, { body: bytes, now: deps.now }, async () => {
    const { request, rest } = parseInfer(bytes, jsonLength);
    const wanted = wantedOutputs(request, model);
    const input = { kind: "tensors", tensors: decodeInputs(request, rest, model.manifest) } as const;
    const principal = c.get("principal").id;
    const signal = () => c.req.raw.signal;
    const { outputs, times } = await model.pool.submit({ input, wantOutputs: true, principal, signal, ...deadline });
    c.get("trace")?.answered(times);
    return encodeOutputs(model, request, wanted, outputs ?? {});
  });
}

function jsonLengthOf({ headers }: Request): number | undefined {
  const header = headers.get(lengthHeader);
  if (header === null) return undefined;
  if (/^\d{1,12}$/.test(header)) return Number(header);
  throw new Problem("header-invalid", "Cannot use Inference-Header-Content-Length: expected a whole number of bytes");
}

function routeOf(model: Model, path: string) {
  const binary = { schema: { type: "string" as const, format: "binary" } };
  return guardedRoute(
    "predict",
    {
      method: "post",
      path,
      operationId: idOf("v2-infer", model, path),
      summary: `Run ${model.name} on tensors`,
      tags: ["v2"],
      parameters: headerParameters,
      request: { body: { required: true, content: { [json]: { schema: inferSchema(model) } } } },
      responses: {
        200: { description: "Tensors", content: { [json]: { schema: InferResponse }, [octets]: binary } },
      },
    },
    askProblems,
  );
}
