import { z } from "@hono/zod-openapi";
import { datatypeOf } from "./names.ts";

const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const Name = z.string().min(1).max(255);
const BinarySize = z.int().nonnegative();

const InferInput = z.strictObject({
  name: Name,
  shape: z.array(z.int().nonnegative()).max(16),
  datatype: z.enum(Object.values(datatypeOf)),
  parameters: z.object({ binary_data_size: BinarySize.optional() }).catchall(z.unknown()).optional(),
  data: z.array(z.unknown()).optional(),
});
export type InferInput = z.infer<typeof InferInput>;

const InferOutput = z.strictObject({
  name: Name,
  parameters: z.object({ binary_data: z.boolean().optional() }).catchall(z.unknown()).optional(),
});

/** The JSON part of `POST /v2/models/{name}/infer`. `data` is row-major, flat or nested. */
export const InferRequest = z.strictObject({
  id: z.string().max(255).optional(),
  parameters: z.object({ binary_data_output: z.boolean().optional() }).catchall(Parameters.valueType).optional(),
  inputs: z.array(InferInput).min(1).max(256),
  outputs: z.array(InferOutput).max(256).optional(),
});
export type InferRequest = z.infer<typeof InferRequest>;

const TensorMetadata = z.strictObject({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });

/** `-1` in a shape is a free dimension. */
export const ModelMetadata = z
  .strictObject({
    name: z.string(),
    versions: z.array(z.string()),
    platform: z.string(),
    inputs: z.array(TensorMetadata),
    outputs: z.array(TensorMetadata),
  })
  .openapi("ModelMetadata");

export const ServerMetadata = z
  .strictObject({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .openapi("ServerMetadata");

export const Live = z.strictObject({ live: z.boolean() });
export const Ready = z.strictObject({ ready: z.boolean() });
export const ModelReady = z.strictObject({ name: z.string(), ready: z.boolean() });

/** The JSON part of an answer; `parameters.binary_data_size` where the data follow as bytes. */
export const InferResponse = z
  .strictObject({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional(),
    outputs: z.array(
      z.strictObject({
        name: z.string(),
        datatype: z.string(),
        shape: z.array(z.int()),
        parameters: z.strictObject({ binary_data_size: BinarySize }).optional(),
        data: z.array(z.union([z.number(), z.string(), z.boolean()])).optional(),
      }),
    ),
  })
  .openapi("InferResponse");
