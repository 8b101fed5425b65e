import { DeployError } from "../../spec/error.ts";
import type { Dtype, TensorSpec } from "../../spec/manifest.ts";

const arrays: Partial<Record<Dtype, string>> = {
  float32: "Float32Array",
  float64: "Float64Array",
  int8: "Int8Array",
  int16: "Int16Array",
  int32: "Int32Array",
  int64: "BigInt64Array",
  uint8: "Uint8Array",
  uint16: "Uint16Array",
  uint32: "Uint32Array",
  uint64: "BigUint64Array",
  bool: "Uint8Array",
};

/**
 * Source of a transformer that passes tensors through as flat lists: right for any model whose first dimension is the
 * batch and whose other sizes are fixed, and the place to begin for every other one.
 */
export function transformerSource(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): string {
  return `/** What a caller sends and gets, and the tensors in between. Written by \`sluice init\`: change it to what callers mean. */

import { z } from "zod";

interface Tensor {
  dtype: string;
  dims: readonly number[];
  data: unknown;
}

export const request = z.strictObject({
${inputs.map((input) => `  ${key(input)}: ${schemaOf(input)},`).join("\n")}
});

export const response = z.strictObject({
${outputs.map((output) => `  ${key(output)}: z.array(${elementOf(output.dtype)}),`).join("\n")}
});

/** One item: the batch dimension is 1. */
export function encode(value: z.output<typeof request>) {
  return {
${inputs.map((input) => `    ${key(input)}: ${tensorOf(input)},`).join("\n")}
  };
}

/** The model's outputs for that item, as flat lists. */
export function decode(outputs: Record<string, Tensor>): z.input<typeof response> {
  return {
${outputs.map((output) => `    ${key(output)}: listOf(outputs, ${JSON.stringify(output.name)})${conversionOf(output)},`).join("\n")}
  };
}

function listOf(outputs: Record<string, Tensor>, name: string): unknown[] {
  const data = outputs[name]?.data;
  if (Array.isArray(data)) return data;
  if (ArrayBuffer.isView(data) && Symbol.iterator in data) return Array.from(data as Iterable<unknown> & ArrayBufferView);
  throw new Error(\`Cannot read \${name}: expected a tensor\`);
}
`;
}

/** How many values one item of an input has; throws `E_USAGE` when another size than the batch is free. */
export function countOf({ name, shape }: TensorSpec): number {
  return shape.slice(1).reduce((product: number, size) => {
    if (typeof size === "number") return product * size;
    throw new DeployError(
      "E_USAGE",
      `Cannot write a transformer: size ${size} of input ${name} is free; next: write transformer.ts, then sluice models add`,
    );
  }, 1);
}

function schemaOf(input: TensorSpec): string {
  return `z.array(${elementOf(input.dtype)}).length(${countOf(input)})`;
}

function elementOf(dtype: Dtype): string {
  if (dtype === "string") return "z.string()";
  if (dtype === "bool") return "z.boolean()";
  return dtype.startsWith("float") ? "z.number()" : "z.int()";
}

function tensorOf(input: TensorSpec): string {
  const dims = `[${[1, ...input.shape.slice(1)].join(", ")}]`;
  return `{ dtype: "${input.dtype}" as const, dims: ${dims}, data: ${dataOf(input)} }`;
}

function dataOf(input: TensorSpec): string {
  const { dtype } = input;
  const value = isWord(input) ? `value.${input.name}` : `value[${JSON.stringify(input.name)}]`;
  const array = arrays[dtype];
  if (array === undefined) return value;
  if (dtype === "bool") return `${array}.from(${value}, Number)`;
  return array.startsWith("Big") ? `${array}.from(${value}, BigInt)` : `${array}.from(${value})`;
}

function conversionOf({ dtype }: TensorSpec): string {
  if (dtype === "string") return ".map(String)";
  return dtype === "bool" ? ".map(Boolean)" : ".map(Number)";
}

function key(tensor: TensorSpec): string {
  return isWord(tensor) ? tensor.name : JSON.stringify(tensor.name);
}

function isWord({ name }: TensorSpec): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}
