import { z } from "zod";

/** An error body, RFC 9457 with a stable `code`; more members are allowed by that standard. */
export const ProblemAnswer = z.looseObject({
  type: z.string().min(1),
  title: z.string().min(1),
  status: z.int().min(400).max(599),
  detail: z.string().min(1),
  code: z.string().min(1),
  errors: z.array(z.looseObject({ pointer: z.string(), expected: z.string() })).optional(),
});
export type ProblemAnswer = z.infer<typeof ProblemAnswer>;

const Schema = z.union([z.boolean(), z.looseObject({})]);
const Media = z.looseObject({ schema: Schema.optional() });
const Content = z.record(z.string(), Media);

/** A request header, path or query parameter. */
const Parameter = z.looseObject({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  schema: Schema.optional(),
});

const Operation = z.looseObject({
  operationId: z.string().optional(),
  parameters: z.array(Parameter).optional(),
  requestBody: z.looseObject({ required: z.boolean().optional(), content: Content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: Content.optional() })),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
});
export type Operation = z.infer<typeof Operation>;

/** The methods that an OpenAPI path may have. */
export const methods = ["get", "head", "post", "put", "patch", "delete", "options"] as const;
export type Method = (typeof methods)[number];

const PathItem = z.looseObject({
  get: Operation.optional(),
  head: Operation.optional(),
  post: Operation.optional(),
  put: Operation.optional(),
  patch: Operation.optional(),
  delete: Operation.optional(),
  options: Operation.optional(),
});

/** What the contract stage reads of a service's `/openapi.json`, its references resolved. */
export const OpenApi = z.looseObject({
  openapi: z.string().regex(/^3\.1\.\d+$/, "expected OpenAPI 3.1"),
  info: z.looseObject({ title: z.string().min(1), version: z.string().min(1) }),
  paths: z.record(z.string().startsWith("/"), PathItem),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
});
export type OpenApi = z.infer<typeof OpenApi>;
