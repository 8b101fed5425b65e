import { Problem, type ProblemCode } from "./problem.ts";

export const json = "application/json";
export const octets = "application/octet-stream";

/** The problems that a question to a model can be answered with, beside those of any guarded route. */
export const askProblems: ProblemCode[] = [
  "header-invalid",
  "idempotency-key-invalid",
  "body-empty",
  "utf8-invalid",
  "json-malformed",
  "json-too-deep",
  "key-duplicate",
  "model-unknown",
  "own-deadline-passed",
  "body-too-slow",
  "idempotency-in-flight",
  "body-too-large",
  "content-type-missing",
  "content-type-unsupported",
  "encoding-unsupported",
  "key-unknown",
  "key-missing",
  "type-wrong",
  "length-wrong",
  "number-out-of-range",
  "base64-invalid",
  "value-invalid",
  "idempotency-key-reused",
  "inference-failed",
  "not-ready",
  "server-full",
  "queue-full",
  "wait-too-long",
  "worker-lost",
  "deadline-exceeded",
];

const deadlineHeader = "x-sluice-deadline-ms";

/** The client's own deadline, counted from now; the service's is the longest. */
export function deadlineOf(request: Request): { deadlineMs?: number } {
  const header = request.headers.get(deadlineHeader);
  if (header === null) return {};
  if (/^[1-9]\d{0,8}$/.test(header)) return { deadlineMs: Number(header) };
  throw new Problem("header-invalid", `Cannot use ${deadlineHeader}: expected whole milliseconds of at least 1`);
}

/** Headers that every question to a model may have. */
export const headerParameters = [
  {
    name: "Idempotency-Key",
    in: "header" as const,
    description: "Sent again with the same body, the stored answer is given: once for each principal and path",
    schema: { type: "string" as const, format: "uuid" },
  },
  {
    name: deadlineHeader,
    in: "header" as const,
    description:
      "Milliseconds from now after which the answer is of no use; the service's own deadline is the longest. When it has passed, the answer is 408",
    schema: { type: "integer" as const, minimum: 1, maximum: 999_999_999 },
  },
];
