import { z } from "zod";
import { Digest } from "./digest.ts";
import { ModelName, RelativePath, Version } from "./name.ts";

/** Element types of tensors, in ONNX Runtime's words. */
export const Dtype = z.enum([
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "bool",
  "string",
]);
export type Dtype = z.infer<typeof Dtype>;

/** Where a file came from: package as `registry:name`, its version, its archive's digest, the path inside. */
const Origin = z.strictObject({
  package: z.string().min(1),
  version: z.string().min(1),
  digest: Digest,
  path: z.string().min(1),
});

/** Size in bytes. */
export const ListedFile = z.strictObject({ path: RelativePath, size: z.int().nonnegative(), digest: Digest });
export type ListedFile = z.infer<typeof ListedFile>;

const ManifestFile = ListedFile.extend({ origin: Origin.optional() });
export type ManifestFile = z.infer<typeof ManifestFile>;

/** A fixed size, or the name of a free dimension such as `batch`. */
const TensorSpec = z.strictObject({
  name: z.string().min(1),
  dtype: Dtype,
  shape: z.array(z.union([z.int().positive(), z.string().min(1)])),
});
export type TensorSpec = z.infer<typeof TensorSpec>;

/** Two numbers agree when `|a - b| <= absolute + relative * |expected|`. */
export const Tolerance = z.strictObject({ absolute: z.number().nonnegative(), relative: z.number().nonnegative() });
export type Tolerance = z.infer<typeof Tolerance>;

const SessionOptions = z.strictObject({
  intraOpNumThreads: z.int().positive(),
  interOpNumThreads: z.int().positive(),
  executionMode: z.enum(["sequential", "parallel"]),
  graphOptimizationLevel: z.enum(["disabled", "basic", "extended", "layout", "all"]),
});

/**
 * `models/<name>/<version>/manifest.json`: every file of the folder but the manifest itself and `model.sig`,
 * and what the model was proven with.
 */
export const Manifest = z.strictObject({
  schema: z.literal("sluice/manifest/v1"),
  name: ModelName,
  version: Version,
  description: z.string().min(1),
  license: z.string().min(1),
  files: z.array(ManifestFile).min(1).max(10_000),
  model: RelativePath,
  transformer: RelativePath,
  golden: RelativePath,
  inputs: z.array(TensorSpec).min(1),
  outputs: z.array(TensorSpec).min(1),
  runtime: z.strictObject({ onnxruntime: z.string().min(1), session: SessionOptions }),
  batch: z.strictObject({ safe: z.boolean(), maxSize: z.int().positive() }),
  tolerance: z.strictObject({ outputs: z.record(z.string(), Tolerance), response: Tolerance }),
});
export type Manifest = z.infer<typeof Manifest>;

/** Files of a model folder that the manifest cannot list. */
export const unlistedFiles: readonly string[] = ["manifest.json", "model.sig"];
