import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import type { Scope } from "../../pipeline/src/spec/keys.ts";
import { createApp, type Deps } from "../../service/src/app.ts";
import type { Env } from "../../service/src/env.ts";
import { MemoryStore } from "../../service/src/idempotency/memory.ts";
import { createKeyring } from "../../service/src/keyring.ts";
import type { LogEntry } from "../../service/src/log.ts";
import { loadModel } from "../../service/src/model.ts";
import { Models } from "../../service/src/models.ts";
import type { PoolLimits } from "../../service/src/pool.ts";
import { createRateLimit } from "../../service/src/rate.ts";
import { Readiness } from "../../service/src/readiness.ts";
import { createTelemetry } from "../../service/src/telemetry.ts";

/** A test's limit where real workers and processes run: no test waits for time, so a long one costs nothing. */
export const patience = 60_000;

export const root = join(import.meta.dir, "..", "..");
export const tabularDir = join(root, "test", "fixtures", "models", "tabular", "1.0.0");
export const magikaDir = join(root, "models", "magika", "3.3.0");

/** A request that the tabular model answers. */
export const sample = { features: Array.from({ length: 30 }, (_, i) => i + 0.5) };

const allScopes: Scope[] = ["predict", "read", "metrics", "admin"];

export type TestService = {
  app: OpenAPIHono<Env>;
  models: Models;
  readiness: Readiness;
  log: LogEntry[];
  key: string;
  /** Asks with a key of every scope unless `headers` has its own authorization. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Asks the tabular model with this JSON value, or text. */
  predict(body: unknown, headers?: Record<string, string>): Promise<Response>;
} & AsyncDisposable;

export type TestOptions = {
  dirs?: string[];
  limits?: Partial<PoolLimits>;
  deps?: Partial<Deps>;
  onDeps?: (deps: Deps) => void;
};

/** The app in this process on real models with real workers, without a port. */
export async function testService({
  dirs = [tabularDir],
  limits,
  deps,
  onDeps,
}: TestOptions = {}): Promise<TestService> {
  const telemetry = createTelemetry({ release: undefined, revision: undefined });
  const pool = { workers: 1, queue: 64, waitMs: 10_000, deadlineMs: 10_000, ...limits };
  const models = new Models(
    await Promise.all(dirs.map((dir) => loadModel(dir, pool, (model) => telemetry.poolEvents(model)))),
  );
  for (const model of models.all) telemetry.watchPool(model, model.pool);
  const readiness = new Readiness();
  const key = newKey("tester");
  const keys = [{ id: "tester", digest: digestKey(key), scopes: allScopes }];
  const log: LogEntry[] = [];
  const all: Deps = {
    models,
    keyring: createKeyring({ schema: "sluice/keys/v1", keys }),
    readiness,
    telemetry,
    log: { write: (entry) => log.push(entry) },
    now: Date.now,
    newId: randomUUID,
    docs: false,
    limits: { maxBodyBytes: 65_536, bodyMs: 5_000, connections: 4_096 },
    rateLimit: createRateLimit({ requests: 100_000, seconds: 1 }),
    idempotency: { store: new MemoryStore(), ttlMs: 60_000, claimMs: 20_000, maxBytes: 65_536 },
    ...deps,
  };
  onDeps?.(all);
  const app = createApp(all);
  await Promise.all(models.all.map((model) => model.pool.open()));
  readiness.becomeReady();
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${key}`);
    return await app.request(path, { ...init, headers });
  };
  const predict = (body: unknown, headers: Record<string, string> = {}) =>
    ask("/v1/models/tabular/predict", {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  const close = async () => {
    for (const model of models.all) model.pool.close();
  };
  return { app, models, readiness, log, key, ask, predict, [Symbol.asyncDispose]: close };
}

/** Waits until `check` holds; fails after thirty seconds. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`Gave up waiting for ${check.toString()}`);
    await Bun.sleep(5);
  }
}
