import type { Dtype } from "../../pipeline/src/spec/manifest.ts";

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/** A tensor in row-major order; the batch dimension is the first. `bool` is held as bytes 0 and 1. */
export type Tensor = { dtype: Dtype; dims: readonly number[]; data: TensorData };

/** Tensors by the model's names. */
export type Tensors = Record<string, Tensor>;

/** The typed array that holds a dtype; null for strings. */
export const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  string: null,
} as const;

/** How many elements a shape has. */
export function countOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}
