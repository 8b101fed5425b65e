import { z } from "zod";

/** A JSON value. */
export const Json = z.json();
export type Json = z.infer<typeof Json>;

const GoldenTensor = z.strictObject({ dims: z.array(z.int().nonnegative()), data: z.array(z.number()) });

/** One real request with the answer, and where the model was asked its raw outputs, of the model's reference implementation. */
const GoldenCase = z.strictObject({
  name: z.string().min(1),
  request: Json,
  response: Json,
  outputs: z.record(z.string(), GoldenTensor).optional(),
});
export type GoldenCase = z.infer<typeof GoldenCase>;

/** `golden.json`: replayed by `verify`, by the service before it is ready, and on the canary before its first weight. */
export const Golden = z.strictObject({
  schema: z.literal("sluice/golden/v1"),
  producer: z.string().min(1),
  cases: z.array(GoldenCase).min(1),
});
export type Golden = z.infer<typeof Golden>;
