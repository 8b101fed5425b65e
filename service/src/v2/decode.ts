import type { Manifest, TensorSpec } from "../../../pipeline/src/spec/manifest.ts";
import { problemOfIssues } from "../issue.ts";
import { parseBody, quote } from "../json.ts";
import { Problem, type ProblemCode } from "../problem.ts";
import { arrayOf, countOf, type Tensor, type TensorData, type Tensors } from "../tensor.ts";
import { fromBinary } from "./binary.ts";
import { datatypeOf, rangeOf } from "./names.ts";
import { type InferInput, InferRequest } from "./schema.ts";

/** A body, cut where its JSON ends: `jsonLength` is the Inference-Header-Content-Length. */
export function parseInfer(
  bytes: Uint8Array,
  jsonLength = bytes.byteLength,
): { request: InferRequest; rest: Uint8Array } {
  if (jsonLength > bytes.byteLength) {
    const detail = `the header is said to have ${jsonLength} bytes, the body has ${bytes.byteLength}`;
    throw new Problem("header-invalid", `Cannot use Inference-Header-Content-Length: ${detail}`);
  }
  const result = InferRequest.safeParse(parseBody(bytes.subarray(0, jsonLength)));
  if (!result.success) throw problemOfIssues(result.error.issues);
  return { request: result.data, rest: bytes.subarray(jsonLength) };
}

/** The model's input tensors of a request: every one of them, once, of its dtype and shape. Throws a `Problem`. */
export function decodeInputs(request: InferRequest, rest: Uint8Array, { inputs, batch }: Manifest): Tensors {
  const tensors: Tensors = {};
  let offset = 0;
  for (const [i, input] of request.inputs.entries()) {
    const pointer = `/inputs/${i}`;
    const spec = inputs.find(({ name }) => name === input.name);
    if (spec === undefined) throw fault("value-invalid", `${pointer}/name`, `one of ${inputs.map(nameOf).join(", ")}`);
    if (tensors[spec.name] !== undefined) throw fault("value-invalid", `${pointer}/name`, "each input once");
    checkShape(input, spec, pointer, batch.maxSize);
    const size = input.parameters?.binary_data_size;
    if (size !== undefined && offset + size > rest.byteLength) {
      throw fault(
        "length-wrong",
        `${pointer}/parameters/binary_data_size`,
        `at most ${rest.byteLength - offset} bytes left`,
      );
    }
    const binary = size === undefined ? undefined : rest.subarray(offset, offset + size);
    offset += size ?? 0;
    tensors[spec.name] = decodeInput(input, spec, pointer, binary);
  }
  const missing = inputs.find(({ name }) => tensors[name] === undefined);
  if (missing !== undefined) throw fault("key-missing", "/inputs", `an input ${missing.name}`);
  if (offset !== rest.byteLength)
    throw fault("length-wrong", "", `${offset} bytes after the JSON, found ${rest.byteLength}`);
  return tensors;
}

function checkShape({ datatype, shape }: InferInput, spec: TensorSpec, pointer: string, maxRows: number): void {
  const wanted = datatypeOf[spec.dtype];
  if (datatype !== wanted) throw fault("type-wrong", `${pointer}/datatype`, wanted);
  const words = `[${spec.shape.join(", ")}]`;
  const fits =
    shape.length === spec.shape.length && spec.shape.every((size, i) => typeof size === "string" || size === shape[i]);
  if (!fits || shape.includes(0)) throw fault("length-wrong", `${pointer}/shape`, words);
  if (typeof spec.shape[0] === "string" && (shape[0] ?? 0) > maxRows) {
    throw fault("length-wrong", `${pointer}/shape/0`, `at most ${maxRows} items`);
  }
}

function decodeInput(input: InferInput, { dtype }: TensorSpec, pointer: string, binary?: Uint8Array): Tensor {
  const { shape: dims, data } = input;
  const count = countOf(dims);
  if (binary === undefined) {
    if (data === undefined) throw fault("key-missing", `${pointer}/data`, "data, or parameters.binary_data_size");
    return { dtype, dims, data: fromJson(dtype, data, count, `${pointer}/data`) };
  }
  if (data !== undefined) throw fault("key-unknown", `${pointer}/data`, "no data beside binary_data_size");
  try {
    return { dtype, dims, data: fromBinary(dtype, binary, count) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw fault("length-wrong", `${pointer}/parameters/binary_data_size`, error.message);
  }
}

function fromJson(dtype: Tensor["dtype"], data: unknown[], count: number, pointer: string): TensorData {
  const flat = data.flat(Number.POSITIVE_INFINITY);
  if (flat.length !== count) throw fault("length-wrong", pointer, `${count} elements, found ${flat.length}`);
  const ArrayType = arrayOf[dtype];
  if (ArrayType === null) return flat.map((value, i) => (typeof value === "string" ? value : refuse(i, "a string")));
  const whole = new ArrayType(count);
  for (const [i, value] of flat.entries()) whole[i] = elementOf(dtype, value, (expected) => refuse(i, expected));
  return whole;

  function refuse(i: number, expected: string): never {
    throw fault("type-wrong", `${pointer}/${i}`, expected);
  }
}

function elementOf(dtype: Tensor["dtype"], value: unknown, refuse: (expected: string) => never): number | bigint {
  if (dtype === "bool") return typeof value === "boolean" ? Number(value) : refuse("true or false");
  if (typeof value !== "number") return refuse("a number");
  const range = rangeOf[dtype];
  if (range === undefined) {
    const fits = dtype === "float64" || Number.isFinite(Math.fround(value));
    return fits ? value : refuse("a number that float32 can hold");
  }
  if (!Number.isSafeInteger(value)) return refuse("a whole number that JSON can carry exactly");
  const whole = BigInt(value);
  if (whole < range[0] || whole > range[1]) return refuse(`${range[0]} to ${range[1]}`);
  return dtype === "int64" || dtype === "uint64" ? whole : value;
}

function nameOf({ name }: { name: string }): string {
  return name;
}

function fault(code: ProblemCode, pointer: string, expected: string): Problem {
  const where = pointer === "" ? "the body" : quote(pointer);
  return new Problem(code, `Cannot use the request: expected ${expected} at ${where}`, {
    faults: [{ pointer, expected }],
  });
}
