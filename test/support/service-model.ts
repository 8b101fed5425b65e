import { rm } from "node:fs/promises";
import { dirname } from "node:path";
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
  return { dir, [Symbol.asyncDispose]: () => rm(dirname(dir), { recursive: true, force: true }) };
}

/** A request of the tabular model's kind with this first feature. */
export function featuresOf(first: number): { features: number[] } {
  return { features: [first, ...Array.from({ length: 29 }, (_, i) => i + 1.5)] };
}
