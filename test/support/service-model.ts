import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { aModelCopy, edit, relock } from "../release/model-copy.ts";

/** A model folder that goes away at the end of an `await using` scope. */
export type TestModel = { dir: string } & AsyncDisposable;

/** Values of the first feature that make a wild model misbehave. */
export const wild = { crash: 666, hang: 777, fail: 888, badResponse: 999 };

/** The tabular model, which ends its worker, hangs, throws or answers nonsense when the first feature asks for it. */
export async function wildModel(change?: Partial<Manifest>): Promise<TestModel> {
  const dir = await aModelCopy();
  const encode = "export function encode({ features }: z.output<typeof request>) {";
  const misbehave = `
  if (features[0] === ${wild.crash}) process.exit(9);
  if (features[0] === ${wild.fail}) throw new Error("asked to fail, at /secret/path");
  while (features[0] === ${wild.hang});`;
  await edit(dir, "transformer.ts", encode, encode + misbehave);
  await edit(dir, "transformer.ts", "outputs: Record<string, Tensor>)", "outputs: Record<string, Tensor>, value: any)");
  const read = "const label = outputs.label?.data;";
  await edit(
    dir,
    "transformer.ts",
    read,
    `if (value.features[0] === ${wild.badResponse}) return {} as never;\n  ${read}`,
  );
  await relock(dir, change);
  return disposable(dir);
}

/** A request of the tabular model's kind with this first feature. */
export function featuresOf(first: number): { features: number[] } {
  return { features: [first, ...Array.from({ length: 29 }, (_, i) => i + 1.5)] };
}

const embedder = `
import { z } from "zod";
let asked = 0;

export const request = z.strictObject({ input: z.string().max(100) });
export const response = z.strictObject({ embedding: z.array(z.number()).length(2), tokens: z.int() });
export function encode({ input }) {
  if (input !== "how many") asked += 1;
  const until = performance.now() + (input === "slow" ? 30 : 0);
  while (performance.now() < until);
  return { features: { dtype: "float32", dims: [1, 30], data: new Float32Array(30).fill(input.length) } };
}
export function decode(outputs, { input }) {
  return { embedding: [...outputs.probabilities.data], tokens: input === "how many" ? asked : input.length };
}
`;

const embedded = {
  schema: "sluice/golden/v1",
  producer: "this model",
  cases: [
    {
      name: "a text of four letters",
      request: { input: "text" },
      response: { embedding: [0.26502007246017456, 0.7349799275398254], tokens: 4 },
    },
  ],
};

/** A model that embeds: the tabular one, asked about the length of a text. It tells "how many" it was asked for. */
export async function embedderModel(): Promise<TestModel> {
  const dir = await aModelCopy();
  await writeFile(join(dir, "transformer.ts"), embedder);
  await writeFile(join(dir, "golden.json"), JSON.stringify(embedded));
  await relock(dir, { name: "embedder" });
  return disposable(dir);
}

function disposable(dir: string): TestModel {
  return { dir, [Symbol.asyncDispose]: () => rm(dirname(dir), { recursive: true, force: true }) };
}
