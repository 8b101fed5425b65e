import { z } from "zod";

/** Every problem that this service knows: its status and its title. A code never changes its meaning. */
export const problems = {
  "body-empty": [400, "The request has no body"],
  "utf8-invalid": [400, "The body is not UTF-8"],
  "json-malformed": [400, "The body is not JSON"],
  "json-too-deep": [400, "The body is nested too deeply"],
  "key-duplicate": [400, "The body has a key twice"],
  "idempotency-key-invalid": [400, "The Idempotency-Key is invalid"],
  "header-invalid": [400, "A header is invalid"],
  "credentials-missing": [401, "The request has no credentials"],
  "credentials-invalid": [401, "The credentials are not valid"],
  "scope-missing": [403, "The credentials lack a scope"],
  "route-unknown": [404, "There is no such route"],
  "model-unknown": [404, "There is no such model"],
  "method-not-allowed": [405, "The route has no such method"],
  "own-deadline-passed": [408, "The request's own deadline has passed"],
  "body-too-slow": [408, "The body came too slowly"],
  "idempotency-in-flight": [409, "A request with this Idempotency-Key runs"],
  "body-too-large": [413, "The body is too large"],
  "content-type-missing": [415, "The body has no content type"],
  "content-type-unsupported": [415, "The route does not take this content type"],
  "encoding-unsupported": [415, "The route does not take this content encoding"],
  "idempotency-key-reused": [422, "The Idempotency-Key was used for another request"],
  "key-unknown": [422, "The body has an unknown key"],
  "key-missing": [422, "The body lacks a key"],
  "type-wrong": [422, "A value has the wrong type"],
  "length-wrong": [422, "A value has the wrong length"],
  "number-out-of-range": [422, "A number is out of range"],
  "base64-invalid": [422, "A value is not base64"],
  "value-invalid": [422, "A value is not valid"],
  "rate-limited": [429, "There were too many requests"],
  "client-gone": [499, "The client went away"],
  internal: [500, "The service has a bug"],
  "inference-failed": [500, "The model failed on this request"],
  "credentials-unverifiable": [503, "The credentials cannot be verified now"],
  "not-ready": [503, "The service is not ready"],
  "server-full": [503, "Too many requests are under way"],
  "queue-full": [503, "The queue is full"],
  "wait-too-long": [503, "The wait would exceed the deadline"],
  "worker-lost": [503, "The worker of this request ended"],
  "deadline-exceeded": [504, "The deadline has passed"],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof problems;

/** RFC 9457. `pointer` is a JSON pointer (RFC 6901) into the request's body. */
export const ProblemBody = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  instance: z.string().optional(),
  error: z.string().optional().describe("The detail again, where clients of the v2 protocol and of OpenAI look for it"),
  errors: z.array(z.strictObject({ pointer: z.string(), expected: z.string() })).optional(),
});
export type ProblemBody = z.infer<typeof ProblemBody>;

/** One place of the body and what was expected there. */
export type Fault = { pointer: string; expected: string };

export const problemType = "application/problem+json";

/** An expected "no" to a request: thrown anywhere, answered by `answerError` alone. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly faults: Fault[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    code: ProblemCode,
    detail: string,
    options: { faults?: Fault[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = "Problem";
    this.code = code;
    this.faults = options.faults;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return problems[this.code][0];
  }
}

/** The answer that carries a problem. `instance` is the request's id. */
export function answerProblem(problem: Problem, instance?: string, extension: { error?: string } = {}): Response {
  const [status, title] = problems[problem.code];
  const body: ProblemBody = {
    type: `urn:sluice:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    ...(instance === undefined ? {} : { instance: `urn:uuid:${instance}` }),
    ...(problem.faults === undefined ? {} : { errors: problem.faults }),
    ...extension,
  };
  const headers = { ...problem.headers, "content-type": problemType };
  return new Response(JSON.stringify(body), { status, headers });
}

/** Makes a problem of anything thrown. What is no problem yet is a bug: its words stay in the log. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem("internal", "The request could not be answered; the service's log says why", { cause: error });
}
