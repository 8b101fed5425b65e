import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { z } from "zod";
import type { TensorLike } from "../../pipeline/src/release/agree.ts";
import { verifyFolder } from "../../pipeline/src/release/folder.ts";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import type { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";

/** What `encode` gives for one input: batch dimension 1. */
interface Item {
  dtype: "float32" | "int32";
  dims: readonly number[];
  data: Float32Array | Int32Array;
}

/** What every `transformer.ts` exports. */
export interface Transformer {
  request: z.ZodType;
  response: z.ZodType;
  encode(value: unknown): Record<string, Item>;
  decode(outputs: Record<string, TensorLike>, value: unknown): unknown;
  fromBytes?(bytes: Uint8Array): unknown;
}

export interface Model {
  manifest: Manifest;
  golden: Golden;
  transformer: Transformer;
  session: InferenceSession;
}

export interface Prediction {
  outputs: Record<string, TensorLike>;
  response: unknown;
}

/** Opens a model folder as a service would: proven against its manifest first. */
export async function openModel(dir: string): Promise<Model> {
  const { manifest } = await verifyFolder(dir);
  const transformer: Transformer = await import(pathToFileURL(join(dir, manifest.transformer)).href);
  return {
    manifest,
    transformer,
    golden: await readJson(join(dir, manifest.golden), Golden),
    session: await InferenceSession.create(join(dir, manifest.model), manifest.runtime.session),
  };
}

/** Answers all requests in one run of the session. */
export async function predict({ transformer, session }: Model, requests: unknown[]): Promise<Prediction[]> {
  const values = requests.map((request) => transformer.request.parse(request));
  const results = await session.run(stack(values.map((value) => transformer.encode(value))));
  return values.map((value, index) => {
    const outputs = Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, row(tensor, index)]));
    return { outputs, response: transformer.response.parse(transformer.decode(outputs, value)) };
  });
}

function stack(inputs: Record<string, Item>[]): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const [name, { dtype, dims }] of Object.entries(inputs[0] ?? {})) {
    const numbers = inputs.flatMap((input) => [...(input[name]?.data ?? [])]);
    feeds[name] = new Tensor(dtype, numbers, [inputs.length, ...dims.slice(1)]);
  }
  return feeds;
}

function row({ dims, data, size }: Tensor, index: number): TensorLike {
  const length = size / (dims[0] ?? 1);
  return { dims: [1, ...dims.slice(1)], data: data.slice(index * length, (index + 1) * length) };
}
