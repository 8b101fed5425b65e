import { z } from "zod";
import { ModelName, RelativePath } from "./name.ts";

/** `POST /v1/models/magika/predict`: an operation as the description names it. */
const OperationName = z
  .string()
  .regex(/^[A-Z]+ \/\S*$/, "expected a method and a path such as POST /v1/models/magika/predict");

/** Somebody who calls a model, the operations that it relies on, and a file of recorded examples beside the policy. */
const Consumer = z.strictObject({
  name: z.string().min(1),
  owner: z.string().min(1),
  operations: z.array(OperationName).min(1),
  examples: RelativePath.optional(),
});
export type Consumer = z.infer<typeof Consumer>;

/** `policies/consumers.yaml`: who must not be broken, by model. */
export const ConsumerPolicy = z.strictObject({
  schema: z.literal("sluice/consumers/v1"),
  models: z.record(ModelName, z.array(Consumer)),
});
export type ConsumerPolicy = z.infer<typeof ConsumerPolicy>;

/** One recorded request, and what its consumer reads of the answer: a JSON schema, so that more may be answered. */
const Example = z.strictObject({
  name: z.string().min(1),
  method: z.enum(["GET", "POST"]),
  path: z.string().startsWith("/"),
  body: z.json().optional(),
  status: z.int(),
  expects: z.record(z.string(), z.json()),
});
export type Example = z.infer<typeof Example>;

/** A consumer's file of examples. */
export const ConsumerExamples = z.strictObject({
  schema: z.literal("sluice/consumer-examples/v1"),
  consumer: z.string().min(1),
  examples: z.array(Example).min(1),
});
export type ConsumerExamples = z.infer<typeof ConsumerExamples>;
