import type { Dtype } from "../../../pipeline/src/spec/manifest.ts";

/** The Open Inference Protocol's words for element types. */
export const datatypeOf = {
  bool: "BOOL",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float32: "FP32",
  float64: "FP64",
  string: "BYTES",
} as const satisfies Record<Dtype, string>;

/** Integers: the least and the greatest value. */
export const rangeOf: Partial<Record<Dtype, readonly [bigint, bigint]>> = {
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 4_294_967_295n],
  uint64: [0n, 18_446_744_073_709_551_615n],
  int8: [-128n, 127n],
  int16: [-32_768n, 32_767n],
  int32: [-2_147_483_648n, 2_147_483_647n],
  int64: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
};
