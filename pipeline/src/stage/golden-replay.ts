import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { z } from "zod";
import { type Agreement, agreeCase } from "../release/agree.ts";
import { readListed } from "../release/folder.ts";
import type { GoldenCase } from "../spec/golden.ts";
import { Dtype, type Manifest } from "../spec/manifest.ts";
import type { Replay, ReplayTask } from "../spec/verify.ts";
import { describeTensor } from "./describe.ts";

type Callable = (...values: unknown[]) => unknown;
const Callable = z.custom<Callable>((value) => typeof value === "function", "expected a function");
const Schema = z.looseObject({ parse: Callable });
/** What the transformer's module must export; `service/src/transformer.ts` says more about it. */
const Transformer = z.looseObject({ request: Schema, response: Schema, encode: Callable, decode: Callable });
type Transformer = z.infer<typeof Transformer>;

type TensorData = Exclude<Tensor.DataType, string[]> | string[];
type Encoded = z.infer<typeof Encoded>;
const Encoded = z.record(
  z.string(),
  z.looseObject({
    dtype: Dtype,
    dims: z.array(z.int().nonnegative()),
    data: z.custom<TensorData>((value) => ArrayBuffer.isView(value) || Array.isArray(value), "expected a typed array"),
  }),
);

type Model = { session: InferenceSession; transformer: Transformer; manifest: Manifest };

/** Replays every golden case through the model and its transformer, in this thread. The model's bytes are those listed. */
export async function replayGolden({ dir, codeDir, manifest, golden }: ReplayTask): Promise<Replay> {
  try {
    const session = await openSession(dir, manifest);
    const transformer = await importTransformer(join(codeDir, manifest.transformer));
    return await replayCases({ session, transformer, manifest }, golden.cases);
  } catch (error) {
    return { kind: "refused", reason: messageOf(error) };
  }
}

async function replayCases(model: Model, cases: readonly GoldenCase[]): Promise<Replay> {
  const disagreements: string[] = [];
  let largest = 0;
  for (const golden of cases) {
    const { largestDeviation, disagreement } = await replayCase(model, golden);
    largest = Math.max(largest, largestDeviation);
    if (disagreement !== undefined) disagreements.push(disagreement);
  }
  return {
    kind: "replayed",
    onnxruntime: env.versions.node ?? "unknown",
    runtime: runtimeName(),
    inputs: model.session.inputMetadata.map(describeTensor),
    outputs: model.session.outputMetadata.map(describeTensor),
    cases: cases.length,
    largestDeviation: Number.isFinite(largest) ? largest : null,
    disagreements,
  };
}

async function replayCase({ session, transformer, manifest }: Model, golden: GoldenCase): Promise<Agreement> {
  try {
    const value = transformer.request.parse(golden.request);
    const encoded = Encoded.parse(await transformer.encode(value));
    const feeds = Object.entries(encoded).map(([name, { dtype, dims, data }]) => [name, new Tensor(dtype, data, dims)]);
    const results = await session.run(Object.fromEntries(feeds));
    const outputs: Record<string, Encoded[string]> = {};
    for (const [name, { type, dims, data }] of Object.entries(results)) {
      outputs[name] = { dtype: Dtype.parse(type), dims: [...dims], data };
    }
    const response = transformer.response.parse(transformer.decode(outputs, value));
    return agreeCase(golden, { outputs, response: JSON.parse(JSON.stringify(response)) }, manifest.tolerance);
  } catch (error) {
    return { largestDeviation: 0, disagreement: `golden case ${golden.name}: ${messageOf(error)}` };
  }
}

async function openSession(dir: string, manifest: Manifest): Promise<InferenceSession> {
  const file = manifest.files.find(({ path }) => path === manifest.model);
  if (file === undefined) throw new Error(`Cannot load ${manifest.model}: manifest does not list it`);
  const bytes = await readListed(dir, file);
  return InferenceSession.create(bytes, { ...manifest.runtime.session, logSeverityLevel: 3 }).catch(
    (cause: unknown) => {
      throw new Error(`Cannot load ${manifest.model}: ONNX Runtime says ${messageOf(cause)}`, { cause });
    },
  );
}

async function importTransformer(path: string): Promise<Transformer> {
  const module: unknown = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw new Error(`Cannot import ${path}: ${messageOf(cause)}`, { cause });
  });
  const found = Transformer.safeParse({ ...Object(module) });
  if (found.success) return found.data;
  const issue = found.error.issues[0];
  throw new Error(`Cannot use ${path}: export ${issue?.path.join(".")} is wrong, ${issue?.message}`);
}

function runtimeName(): string {
  const { bun, deno, node } = process.versions;
  if (bun !== undefined) return `bun ${bun}`;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error).replaceAll("\n", " ");
  return error instanceof Error ? error.message : String(error);
}
