import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { mapLanes } from "../../pipeline/src/release/lanes.ts";
import type { Deps } from "./app.ts";
import { askProblems, deadlineOf, headerParameters, json } from "./ask.ts";
import { contentTypeOf, readBody } from "./body.ts";
import type { Ctx, Env } from "./env.ts";
import type { Guard } from "./guard.ts";
import { requireLoaded } from "./health.ts";
import { answerOnce } from "./idempotency/once.ts";
import { problemOfIssues } from "./issue.ts";
import { parseBody } from "./json.ts";
import type { JsonSchema, Model } from "./model.ts";
import { Problem } from "./problem.ts";
import { guardedRoute } from "./route.ts";

/** Texts of one request that are asked at the same time: a long list leaves room in the queue for others. */
const lanes = 8;

/** The request of OpenAI's clients. `user` is taken and not looked at. */
const EmbeddingsRequest = z.strictObject({
  model: z.string().describe("A model's name"),
  input: z.union([z.string(), z.array(z.string()).min(1).max(256)]).describe("A text, or up to 256 of them"),
  encoding_format: z.enum(["float", "base64"]).default("float").describe("base64: float32, little-endian"),
  user: z.string().optional(),
});

const EmbeddingsResponse = z.strictObject({
  object: z.literal("list"),
  model: z.string(),
  data: z.array(
    z.strictObject({
      object: z.literal("embedding"),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.base64()]),
    }),
  ),
  usage: z.strictObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
});

/** Only described, not a zod schema: with one the framework would read the body before us. */
const { $schema: _, "~standard": __, ...described } = z.toJSONSchema(EmbeddingsRequest, { io: "input" });
function requestSchema(models: readonly string[]): JsonSchema {
  return { ...described, properties: { ...described.properties, model: { type: "string", enum: models } } };
}

/** What a model that embeds answers. */
const Embedded = z.looseObject({ embedding: z.array(z.number()), tokens: z.int() });

/** OpenAI's embeddings route, where a model of this process takes a text as `input` and answers `embedding` and `tokens`. */
export function addEmbeddings(app: OpenAPIHono<Env>, deps: Deps, guard: Guard): void {
  const names = new Set(deps.models.all.filter(embeds).map(({ name }) => name));
  if (names.size === 0) return;
  const route = guardedRoute(
    "predict",
    {
      method: "post",
      path: "/v1/embeddings",
      operationId: "embeddings",
      summary: "Embed texts, in the shape of OpenAI's API",
      tags: ["predict"],
      parameters: headerParameters,
      request: { body: { required: true, content: { [json]: { schema: requestSchema([...names]) } } } },
      responses: { 200: { description: "Embeddings", content: { [json]: { schema: EmbeddingsResponse } } } },
    },
    askProblems,
  );
  app.openapi(createRoute({ ...route, middleware: guard("predict") }), (c) => embed(c, deps));
}

async function embed(c: Ctx, deps: Deps): Promise<Response> {
  requireLoaded(deps.readiness);
  contentTypeOf(c.req.raw, [json]);
  const { deadlineMs = Number.POSITIVE_INFINITY } = deadlineOf(c.req.raw);
  const beganAt = performance.now();
  const bytes = await readBody(c.req.raw, deps.limits);
  return await answerOnce(c, deps.idempotency, { body: bytes, now: deps.now }, async () => {
    const { input, encoding_format: format, model: name } = parseRequest(bytes);
    const answers = await askAll(c, findModel(deps, name), input, { beganAt, deadlineMs });
    const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
    const data = answers.map(({ embedding }, index) => {
      return { object: "embedding", index, embedding: format === "float" ? embedding : toBase64(embedding) };
    });
    return Response.json({ object: "list", model: name, data, usage: { prompt_tokens: tokens, total_tokens: tokens } });
  });
}

/** Asks for each text; the deadlines are of all of them together. When one fails, or nobody waits any more, those that have not begun are left. */
async function askAll(c: Ctx, model: Model, input: string | string[], limit: { beganAt: number; deadlineMs: number }) {
  const { beganAt } = limit;
  const principal = c.get("principal").id;
  const failed = new AbortController();
  const ended = AbortSignal.any([c.req.raw.signal, failed.signal]);
  let failure: unknown;
  const ask = async (text: string): Promise<z.output<typeof Embedded>> => {
    if (ended.aborted) throw failure ?? new Problem("client-gone", "Nobody waits for the answer any more");
    const question = { kind: "json", text: JSON.stringify({ input: text }) } as const;
    const deadlineMs = Math.max(1, beganAt + limit.deadlineMs - performance.now());
    const task = { input: question, wantOutputs: false, principal, deadlineMs, beganAt, signal: () => ended };
    const answer = await model.pool.submit(task);
    c.get("trace")?.answered(answer.times);
    return Embedded.parse(JSON.parse(answer.json));
  };
  if (typeof input === "string") return [await ask(input)];
  return await mapLanes([...input.entries()], lanes, ([index, text]) =>
    ask(text).catch((error: unknown) => {
      failure ??= pointTo(index, error);
      failed.abort();
      throw failure;
    }),
  );
}

/** What is wrong with one text, said of its place in the list. */
function pointTo(index: number, error: unknown): unknown {
  if (!(error instanceof Problem) || error.faults === undefined) return error;
  const faults = error.faults.map(({ pointer, expected }) => ({ pointer: `${pointer}/${index}`, expected }));
  return new Problem(error.code, `${error.message}, text ${index}`, { faults });
}

function parseRequest(bytes: Uint8Array): z.output<typeof EmbeddingsRequest> {
  const parsed = EmbeddingsRequest.safeParse(parseBody(bytes));
  if (parsed.success) return parsed.data;
  throw problemOfIssues(parsed.error.issues);
}

function findModel({ models }: Deps, name: string): Model {
  const model = models.find(name);
  if (embeds(model)) return model;
  const known = models.all.filter(embeds).map((one) => one.name);
  const faults = [{ pointer: "/model", expected: `one of ${known.join(", ")}` }];
  throw new Problem("value-invalid", `Cannot embed with ${name}: it gives no embeddings`, { faults });
}

const Properties = z.looseObject({ properties: z.record(z.string(), z.unknown()) });

function embeds({ requestSchema, responseSchema }: Model): boolean {
  const [asked, given] = [requestSchema, responseSchema].map((schema) => Properties.safeParse(schema).data?.properties);
  return Object.keys(asked ?? {}).join() === "input" && given?.embedding !== undefined && given.tokens !== undefined;
}

function toBase64(embedding: readonly number[]): string {
  const bytes = Buffer.alloc(embedding.length * 4);
  for (const [i, value] of embedding.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString("base64");
}
