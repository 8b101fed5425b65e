import type { Dtype, TensorSpec } from "../../../pipeline/src/spec/manifest.ts";
import { type JsonSchema, type Model, strictObject } from "../model.ts";
import { countOf } from "../tensor.ts";
import { datatypeOf, rangeOf } from "./names.ts";

/** The JSON schema of a model's infer request for one item. More items, nested data and binary data are in the text. */
export function inferSchema({ manifest }: Model) {
  const outputs = { type: "array", maxItems: manifest.outputs.length, items: outputSchema(manifest.outputs) };
  const inputs = {
    type: "array",
    prefixItems: manifest.inputs.map(inputSchema),
    items: false,
    minItems: manifest.inputs.length,
    maxItems: manifest.inputs.length,
    description: `In any order; a free dimension may be up to ${manifest.batch.maxSize}. Data may be nested, or follow the JSON as bytes (binary_tensor_data)`,
  };
  return strictObject({ id: { type: "string", maxLength: 255 }, inputs, outputs }, ["inputs"]);
}

function inputSchema({ name, dtype, shape }: TensorSpec): JsonSchema {
  const dims = shape.map((size) => (typeof size === "number" ? size : 1));
  const count = countOf(dims);
  return strictObject({
    name: { const: name },
    datatype: { const: datatypeOf[dtype] },
    shape: { const: dims },
    data: { type: "array", minItems: count, maxItems: count, items: elementSchema(dtype) },
  });
}

function elementSchema(dtype: Dtype): JsonSchema {
  if (dtype === "string") return { type: "string" };
  if (dtype === "bool") return { type: "boolean" };
  if (dtype === "float32") return { type: "number", minimum: -3.4e38, maximum: 3.4e38 };
  const range = rangeOf[dtype];
  if (range === undefined) return { type: "number" };
  const safe = BigInt(Number.MAX_SAFE_INTEGER);
  const [least, most] = [range[0] < -safe ? -safe : range[0], range[1] > safe ? safe : range[1]];
  return { type: "integer", minimum: Number(least), maximum: Number(most) };
}

function outputSchema(specs: readonly TensorSpec[]): JsonSchema {
  const parameters = { type: "object", properties: { binary_data: { type: "boolean" } } };
  return strictObject({ name: { enum: specs.map(({ name }) => name) }, parameters }, ["name"]);
}
