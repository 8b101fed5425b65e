import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type TestService, tabularDir, testService } from "../support/service-app.ts";
import { embedderModel, type TestModel } from "../support/service-model.ts";

setDefaultTimeout(30_000);

let service: TestService;
let model: TestModel;
beforeAll(async () => {
  model = await embedderModel();
  service = await testService({ dirs: [model.dir, tabularDir] });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

async function ask(body: unknown, path = "/v1/embeddings") {
  const headers = { "content-type": "application/json" };
  const response = await service.ask(path, { method: "POST", body: JSON.stringify(body), headers });
  return { status: response.status, body: await response.json() };
}

test("POST /v1/embeddings gives what predict gives, in OpenAI's shape and in the order of the texts", async () => {
  const inputs = ["one", "two texts", "", ...Array.from({ length: 20 }, (_, i) => "x".repeat(i))];
  const { status, body } = await ask({ model: "embedder", input: inputs, user: "somebody" });
  expect(status).toBe(200);
  const one = await Promise.all(inputs.map((input) => ask({ input }, "/v1/models/embedder/predict")));
  expect(body).toEqual({
    object: "list",
    model: "embedder",
    data: one.map(({ body: { output } }, index) => ({ object: "embedding", index, embedding: output.embedding })),
    usage: { prompt_tokens: 202, total_tokens: 202 },
  });
});

test("POST /v1/embeddings takes a single text, and gives float32 in base64", async () => {
  const plain = await ask({ model: "embedder", input: "text" });
  const packed = await ask({ model: "embedder", input: "text", encoding_format: "base64" });
  const bytes = Buffer.from(packed.body.data[0].embedding, "base64");
  expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual(plain.body.data[0].embedding.map(Math.fround));
});

test.each([
  ["a model that does not embed", { model: "tabular", input: "x" }, 422, "one of embedder"],
  ["an unknown model", { model: "none", input: "x" }, 404, "known: embedder, tabular"],
  ["no text", { model: "embedder", input: [] }, 422, "/input"],
  ["no input", { model: "embedder" }, 422, "/input"],
  ["a number", { model: "embedder", input: 7 }, 422, "/input"],
  ["an unknown key", { model: "embedder", input: "x", dimensions: 3 }, 422, "dimensions"],
  ["a text that the model refuses", { model: "embedder", input: "y".repeat(101) }, 422, '"pointer":"/input"'],
  ["one of a list", { model: "embedder", input: ["x", "y".repeat(101)] }, 422, '"pointer":"/input/1"'],
])("POST /v1/embeddings refuses %s", async (_, body, status, words) => {
  const answer = await ask(body);
  expect(answer.status).toBe(status);
  expect(JSON.stringify(answer.body)).toContain(words);
  expect(answer.body.error).toBe(answer.body.detail); // where OpenAI's clients look
});

test("POST /v1/embeddings asks for no further text once one was refused", async () => {
  const count = async () => (await ask({ input: "how many" }, "/v1/models/embedder/predict")).body.output.tokens;
  const before = await count();
  const { status } = await ask({ model: "embedder", input: ["y".repeat(101), ...Array(255).fill("x")] });
  expect(status).toBe(422);
  for (let round = 0; round < 60; round++) await count(); // each waits behind what a list has under way
  expect((await count()) - before).toBeLessThan(20);
});

test.each([
  ["the service's deadline", {}, [503, 504]],
  ["its client's deadline", { "x-sluice-deadline-ms": "500" }, [408]],
])("a list of texts that takes longer than %s is cut, though each text alone is fast", async (_, more, statuses) => {
  await using slow = await testService({ dirs: [model.dir], limits: { deadlineMs: 1_000 } });
  const headers = { "content-type": "application/json", ...more };
  const body = JSON.stringify({ model: "embedder", input: Array(256).fill("slow") });
  const response = await slow.ask("/v1/embeddings", { method: "POST", body, headers });
  expect(statuses).toContain(response.status); // as it waits or as it runs
});

test("POST /v1/embeddings is described, and is not there where no model embeds", async () => {
  const { paths } = await (await service.ask("/openapi.json")).json();
  expect(Object.keys(paths)).toContain("/v1/embeddings");
  await using other = await testService();
  expect((await other.ask("/v1/embeddings", { method: "POST" })).status).toBe(404);
});
