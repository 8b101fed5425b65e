import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ProblemBody, type ProblemCode } from "../../service/src/problem.ts";
import { magikaDir, patience, sample, type TestService, tabularDir, testService } from "../support/service-app.ts";

setDefaultTimeout(patience);

let service: TestService;
beforeAll(async () => {
  service = await testService({ dirs: [tabularDir, magikaDir] });
});
afterAll(() => service[Symbol.asyncDispose]());

const json = { "content-type": "application/json" };
const post = (body: BodyInit, headers: Record<string, string> = json): RequestInit => ({
  method: "POST",
  body,
  headers,
});
const tabular = "/v1/models/tabular/predict";
const magika = "/v1/models/magika/predict";
const features = (change: (list: unknown[]) => unknown) => JSON.stringify({ features: change([...sample.features]) });

async function problemOf(response: Response): Promise<ProblemBody> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = ProblemBody.parse(await response.json());
  expect(problem.status).toBe(response.status);
  expect(problem.type).toBe(`urn:sluice:problem:${problem.code}`);
  expect(problem.instance).toBe(`urn:uuid:${response.headers.get("x-request-id")}`);
  return problem;
}

function stream(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
}

test("predict answers a typed request", async () => {
  const response = await service.predict(sample);
  expect(response.status).toBe(200);
  const answer = await response.json();
  expect(answer.model).toEqual({ name: "tabular", version: "1.0.0" });
  expect(["malignant", "benign"]).toContain(answer.output.label);
});

test("predict answers raw bytes and the same bytes as base64 alike", async () => {
  const text = '#include <stdio.h>\nint main(void) { printf("hello\\n"); return 0; }\n'.repeat(3);
  const raw = await service.ask(magika, post(text, { "content-type": "application/octet-stream" }));
  const base64 = await service.ask(magika, post(JSON.stringify({ content: btoa(text) })));
  expect(raw.status).toBe(200);
  expect(await raw.json()).toEqual(await base64.json());
});

test("predict finds a model by its version too, and names the known versions otherwise", async () => {
  const body = JSON.stringify(sample);
  expect((await service.ask("/v1/models/tabular/versions/1.0.0/predict", post(body))).status).toBe(200);
  const problem = await problemOf(await service.ask("/v1/models/tabular/versions/9.9.9/predict", post(body)));
  expect(problem.code).toBe("model-unknown");
  expect(problem.detail).toContain("1.0.0");
});

test.each<[string, string, RequestInit, number, ProblemCode, string | undefined]>([
  ["an empty body", tabular, post(""), 400, "body-empty", undefined],
  ["malformed JSON", tabular, post('{"features":[1,'), 400, "json-malformed", undefined],
  ["NaN", tabular, post('{"features":[NaN]}'), 400, "json-malformed", undefined],
  ["bad UTF-8", tabular, post(Uint8Array.of(0x7b, 0xff, 0x7d)), 400, "utf8-invalid", undefined],
  ["deep nesting", tabular, post("[".repeat(60_000)), 400, "json-too-deep", "/0".repeat(32)],
  ["a duplicate key", tabular, post('{"features":[],"features":[]}'), 400, "key-duplicate", "/features"],
  ["an unknown key", tabular, post(JSON.stringify({ ...sample, x: 1 })), 422, "key-unknown", "/x"],
  ["a missing key", tabular, post("{}"), 422, "key-missing", "/features"],
  ["null for the body", tabular, post("null"), 422, "type-wrong", ""],
  ["an array for the body", tabular, post("[]"), 422, "type-wrong", ""],
  ["a wrong type", tabular, post(features((list) => list.with(3, "4"))), 422, "type-wrong", "/features/3"],
  ["a null item", tabular, post(features((list) => list.with(29, null))), 422, "type-wrong", "/features/29"],
  ["too few items", tabular, post(features((list) => list.slice(1))), 422, "length-wrong", "/features"],
  ["too many items", tabular, post(features((list) => [...list, 1])), 422, "length-wrong", "/features"],
  ["an infinite number", tabular, post('{"features":[1,1e999]}'), 422, "number-out-of-range", "/features/1"],
  [
    "a number beyond float32",
    tabular,
    post(features((list) => list.with(0, 1e39))),
    422,
    "number-out-of-range",
    "/features/0",
  ],
  ["bad base64", magika, post('{"content":"a$=="}'), 422, "base64-invalid", "/content"],
  ["base64 without padding", magika, post('{"content":"YQ"}'), 422, "base64-invalid", "/content"],
  ["no content type", tabular, post(stream("{}"), {}), 415, "content-type-missing", undefined],
  [
    "a wrong content type",
    tabular,
    post("{}", { "content-type": "text/xml" }),
    415,
    "content-type-unsupported",
    undefined,
  ],
  [
    "bytes where there are none",
    tabular,
    post("{}", { "content-type": "application/octet-stream" }),
    415,
    "content-type-unsupported",
    undefined,
  ],
  [
    "a content encoding",
    tabular,
    post("{}", { ...json, "content-encoding": "gzip" }),
    415,
    "encoding-unsupported",
    undefined,
  ],
  [
    "a large declared body",
    tabular,
    post("{}", { ...json, "content-length": "70000" }),
    413,
    "body-too-large",
    undefined,
  ],
  [
    "a large streamed body",
    tabular,
    post(stream("x".repeat(40_000), "x".repeat(40_000))),
    413,
    "body-too-large",
    undefined,
  ],
  ["an empty streamed body", tabular, post(stream()), 400, "body-empty", undefined],
  [
    "a bad deadline",
    tabular,
    post("{}", { ...json, "x-sluice-deadline-ms": "soon" }),
    400,
    "header-invalid",
    undefined,
  ],
  ["an unknown model", "/v1/models/nope/predict", post("{}"), 404, "model-unknown", undefined],
  ["an unknown route", "/v9", {}, 404, "route-unknown", undefined],
  ["a wrong method", tabular, { method: "DELETE" }, 405, "method-not-allowed", undefined],
])("the service answers %s with its own problem", async (_, path, init, status, code, pointer) => {
  const response = await service.ask(path, init);
  const problem = await problemOf(response);
  expect([response.status, problem.code]).toEqual([status, code]);
  expect(problem.errors?.[0]?.pointer).toBe(pointer);
  if (pointer !== undefined) expect(problem.errors?.[0]?.expected).not.toBe("");
});

test("405 names the methods that are there", async () => {
  const response = await service.ask(tabular, { method: "GET" });
  expect(response.headers.get("allow")).toBe("POST");
});

test("a problem lists at most ten places", async () => {
  const problem = await problemOf(await service.predict({ features: Array(30).fill("x") }));
  expect(problem.errors).toHaveLength(10);
  expect(problem.detail).toContain("and 29 more");
});

test("the answer of a model that is not ready yet is a problem with Retry-After", async () => {
  await using loading = await testService();
  loading.readiness.phase = "loading";
  const response = await loading.predict(sample);
  expect((await problemOf(response)).code).toBe("not-ready");
  expect(response.headers.get("retry-after")).toBe("1");
  expect((await loading.ask("/readyz")).status).toBe(503);
  expect((await loading.ask("/livez")).status).toBe(200);
});

test("a process that drains is not ready, still answers, and closes its connections", async () => {
  await using draining = await testService();
  draining.readiness.phase = "draining";
  expect((await draining.ask("/readyz")).status).toBe(503);
  const response = await draining.predict(sample);
  expect(response.status).toBe(200);
  expect(response.headers.get("connection")).toBe("close");
});
