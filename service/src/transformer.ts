import { pathToFileURL } from "node:url";
import { z } from "zod";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { Issue } from "./issue.ts";
import type { Tensors } from "./tensor.ts";

/** A schema of the transformer's own zod: only its shape is known here, never its class. */
export type Schema = {
  safeParse(value: unknown): { success: true; data: unknown } | { success: false; error: { issues: Issue[] } };
};

/**
 * A model's pre- and post-processing, `transformer.ts` of its folder. `request` and `response` are strict zod schemas;
 * `encode` makes tensors of one item, batch dimension first; `decode` reads the outputs of that item.
 */
export type Transformer = {
  request: Schema;
  response: Schema;
  encode(value: unknown): Tensors | Promise<Tensors>;
  decode(outputs: Tensors, value: unknown): unknown;
  fromBytes?(bytes: Uint8Array<ArrayBuffer>): unknown;
};

const Callable = z.custom<(...values: never[]) => unknown>((value) => typeof value === "function");
const SchemaShape = z.looseObject({ safeParse: Callable, _zod: z.looseObject({ def: z.unknown() }) });
const TransformerShape = z.object({
  request: SchemaShape,
  response: SchemaShape,
  encode: Callable,
  decode: Callable,
  fromBytes: Callable.optional(),
});

/** Imports the transformer at `path`; throws `E_FILE` when it cannot be imported or lacks an export. */
export async function importTransformer(path: string): Promise<Transformer> {
  const module = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw new DeployError("E_FILE", `Cannot import ${path}: ${String(cause)}`, { cause });
  });
  if (isTransformer(module)) return module;
  const issue = TransformerShape.safeParse(module).error?.issues[0];
  const expected = "expected exports request, response (zod schemas), encode, decode and optionally fromBytes";
  throw new DeployError(
    "E_FILE",
    `Cannot use ${path}: ${issue?.path[0]?.toString() ?? "module"} is wrong, ${expected}`,
  );
}

function isTransformer(module: unknown): module is Transformer {
  return TransformerShape.safeParse(module).success;
}
