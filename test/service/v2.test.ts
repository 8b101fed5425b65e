import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { ProblemCode } from "../../service/src/problem.ts";
import { fromBinary, toBinary } from "../../service/src/v2/binary.ts";
import { magikaDir, patience, sample, type TestService, tabularDir, testService } from "../support/service-app.ts";

setDefaultTimeout(patience);

let service: TestService;
beforeAll(async () => {
  service = await testService({ dirs: [tabularDir, magikaDir] });
});
afterAll(() => service[Symbol.asyncDispose]());

const path = "/v2/models/tabular/infer";
const input = { name: "features", shape: [1, 30], datatype: "FP32", data: sample.features };

async function infer(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return await service.ask(path, { method: "POST", body: JSON.stringify(body), headers });
}

test("infer gives the tensors that predict reads", async () => {
  const response = await infer({ id: "q1", inputs: [input] });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
  const answer = await response.json();
  expect([answer.model_name, answer.model_version, answer.id]).toEqual(["tabular", "1.0.0", "q1"]);
  const { output } = await (await service.predict(sample)).json();
  const probabilities = answer.outputs.find(({ name }: { name: string }) => name === "probabilities");
  expect(probabilities).toMatchObject({ datatype: "FP32", shape: [1, 2] });
  expect(probabilities.data[0]).toBeCloseTo(output.probabilities.malignant, 5);
  const label = answer.outputs.find(({ name }: { name: string }) => name === "label");
  expect(label).toEqual({ name: "label", datatype: "INT64", shape: [1], data: [output.label === "malignant" ? 0 : 1] });
});

test("infer takes several items, nested data, and gives only the outputs that are asked for", async () => {
  const inputs = [{ ...input, shape: [2, 30], data: [sample.features, sample.features] }];
  const answer = await (await infer({ inputs, outputs: [{ name: "label" }] })).json();
  expect(answer.outputs).toHaveLength(1);
  expect(answer.outputs[0].shape).toEqual([2]);
  expect(answer.outputs[0].data[0]).toBe(answer.outputs[0].data[1]);
});

test("infer takes and gives binary tensors, as it does JSON", async () => {
  const plain = await (await infer({ inputs: [input], outputs: [{ name: "probabilities" }] })).json();
  const { data: _, ...head } = input;
  const json = JSON.stringify({
    inputs: [{ ...head, parameters: { binary_data_size: 120 } }],
    outputs: [{ name: "probabilities", parameters: { binary_data: true } }, { name: "label" }],
  });
  const body = Buffer.concat([Buffer.from(json), toBinary(Float32Array.from(sample.features))]);
  const headers = {
    "inference-header-content-length": String(json.length),
    "content-type": "application/octet-stream",
  };
  const response = await service.ask(path, { method: "POST", body, headers });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const length = Number(response.headers.get("inference-header-content-length"));
  const answer = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
  expect(answer.outputs[0]).toEqual({
    name: "probabilities",
    datatype: "FP32",
    shape: [1, 2],
    parameters: { binary_data_size: 8 },
  });
  expect([...fromBinaryNumbers(bytes.subarray(length))]).toEqual(plain.outputs[0].data);
});

function fromBinaryNumbers(bytes: Uint8Array): number[] {
  return Array.from(fromBinary("float32", bytes, bytes.byteLength / 4), Number);
}

test("a request with binary data is answered again from its Idempotency-Key, header and bytes", async () => {
  const body = { inputs: [input], parameters: { binary_data_output: true } };
  const first = await infer(body, { "idempotency-key": "v2" });
  const again = await infer(body, { "idempotency-key": "v2" });
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  const header = "inference-header-content-length";
  expect(again.headers.get(header)).toBe(first.headers.get(header));
  expect(await again.bytes()).toEqual(await first.bytes());
});

test("metadata and health answer as the protocol says", async () => {
  const get = async (at: string) => (await service.ask(at)).json();
  expect((await get("/v2")).extensions).toEqual(["binary_tensor_data"]);
  expect(await get("/v2/health/live")).toEqual({ live: true });
  expect(await get("/v2/health/ready")).toEqual({ ready: true });
  expect(await get("/v2/models/tabular/ready")).toEqual({ name: "tabular", ready: true });
  expect(await get("/v2/models/tabular/versions/1.0.0")).toEqual({
    name: "tabular",
    versions: ["1.0.0"],
    platform: "onnxruntime_onnx",
    inputs: [{ name: "features", datatype: "FP32", shape: [-1, 30] }],
    outputs: expect.arrayContaining([{ name: "label", datatype: "INT64", shape: [-1] }]),
  });
});

test.each<[string, unknown, number, ProblemCode, string | undefined]>([
  ["an unknown key", { inputs: [input], x: 1 }, 422, "key-unknown", "/x"],
  ["no inputs", { inputs: [] }, 422, "length-wrong", "/inputs"],
  ["an unknown input", { inputs: [{ ...input, name: "x" }] }, 422, "value-invalid", "/inputs/0/name"],
  ["an input twice", { inputs: [input, input] }, 422, "value-invalid", "/inputs/1/name"],
  ["a wrong datatype", { inputs: [{ ...input, datatype: "FP64" }] }, 422, "type-wrong", "/inputs/0/datatype"],
  ["an unknown datatype", { inputs: [{ ...input, datatype: "FP8" }] }, 422, "value-invalid", "/inputs/0/datatype"],
  ["a wrong shape", { inputs: [{ ...input, shape: [30] }] }, 422, "length-wrong", "/inputs/0/shape"],
  ["an empty shape", { inputs: [{ ...input, shape: [0, 30] }] }, 422, "length-wrong", "/inputs/0/shape"],
  ["too many items", { inputs: [{ ...input, shape: [1000, 30] }] }, 422, "length-wrong", "/inputs/0/shape/0"],
  ["too few elements", { inputs: [{ ...input, data: [1] }] }, 422, "length-wrong", "/inputs/0/data"],
  ["no data", { inputs: [{ ...input, data: undefined }] }, 422, "key-missing", "/inputs/0/data"],
  [
    "a string among numbers",
    { inputs: [{ ...input, data: sample.features.map(String) }] },
    422,
    "type-wrong",
    "/inputs/0/data/0",
  ],
  [
    "a number beyond float32",
    { inputs: [{ ...input, data: sample.features.map(() => 1e39) }] },
    422,
    "type-wrong",
    "/inputs/0/data/0",
  ],
  [
    "an output again and again",
    { inputs: [input], outputs: Array(3).fill({ name: "label" }) },
    422,
    "length-wrong",
    "/outputs",
  ],
  ["an unknown output", { inputs: [input], outputs: [{ name: "x" }] }, 422, "value-invalid", "/outputs/0/name"],
  [
    "more bytes than there are",
    { inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 120 } }] },
    422,
    "length-wrong",
    "/inputs/0/parameters/binary_data_size",
  ],
])("infer refuses %s", async (_, body, status, code, pointer) => {
  const response = await infer(body);
  const problem = await response.json();
  expect([response.status, problem.code, problem.errors?.[0]?.pointer]).toEqual([status, code, pointer]);
  expect(problem.error).toBe(problem.detail); // what the protocol's clients show
});

test.each([
  ["not a number", "x", "header-invalid", 400],
  ["more than the body", "99999", "header-invalid", 400],
])("infer refuses an Inference-Header-Content-Length that is %s", async (_, length, code, status) => {
  const response = await infer({ inputs: [input] }, { "inference-header-content-length": length });
  expect([response.status, (await response.json()).code]).toEqual([status, code]);
});

test("infer refuses bytes after the JSON that no input claims", async () => {
  const json = JSON.stringify({ inputs: [input] });
  const headers = { "inference-header-content-length": String(json.length) };
  const response = await service.ask(path, { method: "POST", body: `${json}xx`, headers });
  expect([response.status, (await response.json()).code]).toEqual([422, "length-wrong"]);
});

test("infer names the known models for an unknown one", async () => {
  const response = await service.ask("/v2/models/nope/infer", { method: "POST", body: "{}" });
  expect([response.status, (await response.json()).code]).toEqual([404, "model-unknown"]);
});

test("fromBinary() reads what toBinary() wrote, strings and every kind of number", () => {
  const strings = ["", "a", "ä😀"];
  expect(fromBinary("string", toBinary(strings), 3)).toEqual(strings);
  const numbers = [BigInt64Array.of(-5n, 2n ** 62n), Uint8Array.of(1, 255), Float64Array.of(0.1)] as const;
  expect(fromBinary("int64", toBinary(numbers[0]), 2)).toEqual(numbers[0]);
  expect(fromBinary("uint8", toBinary(numbers[1]), 2)).toEqual(numbers[1]);
  expect(fromBinary("float64", toBinary(numbers[2]), 1)).toEqual(numbers[2]);
});

test.each([
  ["a length that is cut", "string", Uint8Array.of(1, 0), 1],
  ["a string that is cut", "string", Uint8Array.of(9, 0, 0, 0, 65), 1],
  ["a string that is not UTF-8", "string", Uint8Array.of(1, 0, 0, 0, 255), 1],
  ["too many strings", "string", Uint8Array.of(0, 0, 0, 0), 2],
  ["a bool of 2", "bool", Uint8Array.of(2), 1],
  ["a NaN", "float32", new Uint8Array(Float32Array.of(Number.NaN).buffer), 1],
  ["too few bytes", "int32", Uint8Array.of(1, 2), 1],
] as const)("fromBinary() refuses %s", (_, dtype, bytes, count) => {
  expect(() => fromBinary(dtype, bytes, count)).toThrow(RangeError);
});
