import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { Golden, type GoldenCase, type Json } from "../../spec/golden.ts";
import { Dtype, type Manifest, type TensorSpec } from "../../spec/manifest.ts";
import { copyTransformer } from "../golden-copy.ts";
import { countOf } from "./transformer.ts";

const Callable = z.custom<(...values: unknown[]) => unknown>((value) => typeof value === "function");
const Written = z.looseObject({ encode: Callable, decode: Callable });
const Encoded = z.record(
  z.string(),
  z.looseObject({ dtype: Dtype, dims: z.array(z.int()), data: z.custom<Float32Array | string[]>() }),
);

/**
 * Golden cases of a folder that `sluice init` just wrote: the model's own answers to all zeros and all ones. They prove that
 * nothing changes on the way, not that the model is right: replace them with the reference implementation's answers.
 */
export async function makeGolden(dir: string, manifest: Manifest): Promise<Golden> {
  const { inputs } = manifest;
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const bytes = new Uint8Array(await readFile(join(dir, manifest.model)));
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  await using code = await copyTransformer(dir, manifest);
  const { encode, decode } = Written.parse({
    ...(await import(pathToFileURL(join(code.path, manifest.transformer)).href)),
  });
  const cases: GoldenCase[] = [];
  for (const [name, fill] of [
    ["zeros", 0],
    ["ones", 1],
  ] as const) {
    const request = Object.fromEntries(inputs.map((input) => [input.name, valuesOf(input, fill)]));
    const encoded = Encoded.parse(encode(request));
    const feeds = Object.entries(encoded).map(([key, { dtype, dims, data }]) => [key, new Tensor(dtype, data, dims)]);
    const results = await session.run(Object.fromEntries(feeds));
    cases.push({ name, request, response: z.json().parse(decode(results, request)) });
  }
  return Golden.parse({ schema: "sluice/golden/v1", producer: "sluice init, the model itself", cases });
}

function valuesOf(input: TensorSpec, fill: 0 | 1): Json {
  const value = input.dtype === "string" ? "a".repeat(fill) : input.dtype === "bool" ? fill === 1 : fill;
  return Array.from({ length: countOf(input) }, () => value);
}
