import { z } from "zod";
import { DeployError } from "../../pipeline/src/spec/error.ts";

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** The environment variables of the service: paths and numbers, never a secret. An empty one counts as not set. */
const Variables = z.object({
  SLUICE_HOST: z.string().default("127.0.0.1"),
  SLUICE_PORT: whole(0, 65_535).default(0),
  SLUICE_MODELS: z.string("expected model folders, separated by a colon").transform((list) => list.split(":")),
  SLUICE_KEYS: z.string("expected the path of keys.json"),
  SLUICE_JWT: z.string().optional(),
  SLUICE_RECORD: z.string().optional(),
  SLUICE_REVISION: z.string().optional(),
  SLUICE_READY_FILE: z.string().optional(),
  SLUICE_WORKERS: whole(1, 64).default(1),
  SLUICE_QUEUE: whole(1, 100_000).default(256),
  SLUICE_WAIT_MS: whole(1, 600_000).default(1_000),
  SLUICE_CONNECTIONS: whole(1, 1_000_000).default(4_096),
  SLUICE_DEADLINE_MS: whole(1, 600_000).default(10_000),
  SLUICE_MAX_BODY_BYTES: whole(1, 1_073_741_824).default(8_388_608),
  SLUICE_BODY_MS: whole(1, 600_000).default(30_000),
  SLUICE_RATE: whole(1, 10_000_000).default(5_000),
  SLUICE_IDEMPOTENCY: z.string().optional(),
  SLUICE_OTLP: z.url({ protocol: /^https?$/ }).optional(),
  SLUICE_TRACE_RATIO: z
    .string()
    .regex(/^[01](\.\d{1,6})?$/, "expected a share from 0 to 1")
    .transform(Number)
    .pipe(z.number().max(1))
    .default(0.01),
  SLUICE_DOCS: z.enum(["0", "1"]).default("0"),
  SLUICE_OPERATIONS_PORT: whole(0, 65_535).optional(),
  SLUICE_NOTICE_MS: whole(0, 600_000).default(250),
  SLUICE_DRAIN_MS: whole(0, 600_000).default(20_000),
});

/** What the process is told. Times in milliseconds, sizes in bytes; `port` 0 is any free one. */
export type Config = {
  host: string;
  port: number;
  models: string[];
  keys: string;
  /** Path of jwt.json; no JWT is believed when absent. */
  jwt: string | undefined;
  record: string | undefined;
  revision: string | undefined;
  readyFile: string | undefined;
  workers: number;
  queue: number;
  /** Connections on Node, requests under way on Bun and Deno; more are refused. */
  connections: number;
  /** Longest wait that a request is taken for while more come than can be answered. */
  waitMs: number;
  deadlineMs: number;
  maxBodyBytes: number;
  /** Longest time until a request's body is complete. */
  bodyMs: number;
  /** Requests that each principal may make in a second. */
  rate: number;
  /** File that keeps answers by Idempotency-Key; in memory when absent. */
  idempotency: string | undefined;
  /** Where telemetry is sent to; nowhere when absent. */
  otlp: { endpoint: string; traceRatio: number } | undefined;
  /** Whether `/docs` is there. */
  docs: boolean;
  /** Port for metrics, description and docs; they are on the main one when absent. */
  operationsPort: number | undefined;
  /** How long a drain says "not ready" and still takes connections, so that whoever routes to it can turn away. */
  noticeMs: number;
  /** Longest time that a drain then waits for running requests. */
  drainMs: number;
};

/** Reads the configuration; throws `E_USAGE` naming the variable. */
export function readConfig(env: Record<string, string | undefined>): Config {
  // By name, so that Deno needs no leave to see the rest of the environment.
  const set = Object.fromEntries(Object.keys(Variables.shape).map((name) => [name, env[name] || undefined]));
  const result = Variables.safeParse(set);
  if (!result.success) {
    const issue = result.error.issues[0];
    const name = issue?.path.join(".") ?? "environment";
    throw new DeployError("E_USAGE", `Cannot configure the service: ${name} is wrong: ${issue?.message ?? "invalid"}`);
  }
  const known = result.data;
  return {
    host: known.SLUICE_HOST,
    port: known.SLUICE_PORT,
    models: known.SLUICE_MODELS,
    keys: known.SLUICE_KEYS,
    jwt: known.SLUICE_JWT,
    record: known.SLUICE_RECORD,
    revision: known.SLUICE_REVISION,
    readyFile: known.SLUICE_READY_FILE,
    workers: known.SLUICE_WORKERS,
    queue: known.SLUICE_QUEUE,
    connections: known.SLUICE_CONNECTIONS,
    waitMs: known.SLUICE_WAIT_MS,
    deadlineMs: known.SLUICE_DEADLINE_MS,
    maxBodyBytes: known.SLUICE_MAX_BODY_BYTES,
    bodyMs: known.SLUICE_BODY_MS,
    rate: known.SLUICE_RATE,
    idempotency: known.SLUICE_IDEMPOTENCY,
    otlp: otlpOf(known.SLUICE_OTLP, known.SLUICE_TRACE_RATIO),
    docs: known.SLUICE_DOCS === "1",
    operationsPort: known.SLUICE_OPERATIONS_PORT,
    noticeMs: known.SLUICE_NOTICE_MS,
    drainMs: known.SLUICE_DRAIN_MS,
  };
}

function otlpOf(url: string | undefined, traceRatio: number): Config["otlp"] {
  return url === undefined ? undefined : { endpoint: url.replace(/\/$/, ""), traceRatio };
}
