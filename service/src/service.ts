import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { proofOf } from "../../pipeline/src/release/statement.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { ReleaseRecord } from "../../pipeline/src/spec/release.ts";
import { openAccess } from "./access.ts";
import { demandAdmitted } from "./admitted.ts";
import { createApp, createSplitApps, type Deps } from "./app.ts";
import type { Config } from "./config.ts";
import { replayGolden } from "./golden.ts";
import { MemoryStore } from "./idempotency/memory.ts";
import type { Idempotency } from "./idempotency/once.ts";
import { openSqliteStore } from "./idempotency/sqlite.ts";
import { type Listener, listen } from "./listen.ts";
import type { Log, ProcessLog } from "./log.ts";
import { createLogPush, joinLogs, type LogPush } from "./log-push.ts";
import { loadModel } from "./model.ts";
import { Models } from "./models.ts";
import { logPush } from "./otlp.ts";
import { createRateLimit } from "./rate.ts";
import { Readiness } from "./readiness.ts";
import { sampled } from "./sampled.ts";
import { createTelemetry, resourceOf, type Telemetry } from "./telemetry.ts";

/** A service that listens. `ready` resolves when models are proven, or rejects with the reason why they are not. */
export type Service = {
  port: number;
  ready: Promise<void>;
  /** Not ready first, after the notice no new connection, then waits for running requests, then ends the workers. */
  drain(): Promise<void>;
};

/** Reads, verifies, listens, then proves the models; throws a `DeployError` before it listens when a file is not as it should be. */
export async function startService(config: Config, local: ProcessLog): Promise<Service> {
  const about = await readAbout(config);
  local.about({ release: about.release?.id, revision: about.revision });
  const push = openLogPush(config, about, local);
  const log = push === undefined ? local : joinLogs(local, sampled(push, Date.now));
  const access = await openAccess(config, log);
  const telemetry = createTelemetry({
    release: about.release?.id,
    revision: about.revision,
    ...(config.otlp === undefined ? {} : { otlp: config.otlp }),
  });
  const models = await loadModels(config, telemetry);
  if (about.release !== undefined) await demandAdmitted(about.release, models.all, import.meta.url);
  const readiness = new Readiness();
  const idempotency = await openIdempotency(config);
  const deps: Deps = {
    models,
    keyring: access.keyring,
    readiness,
    telemetry,
    log,
    idempotency,
    limits: config,
    docs: config.docs,
    rateLimit: createRateLimit({ requests: config.rate, seconds: 1 }),
    now: Date.now,
    newId: randomUUID,
    ...about,
  };
  const listeners = await listenAll(deps, config);
  return {
    port: listeners[0].port,
    ready: prove(models).then(() => readiness.becomeReady()),
    async drain() {
      readiness.phase = "draining";
      await setTimeout(config.noticeMs);
      await Promise.all(listeners.map((listener) => listener.stop(config.drainMs)));
      for (const { pool } of models.all) pool.close();
      idempotency.store.close();
      access.stop();
      await sendRest(push === undefined ? [telemetry] : [telemetry, push], local);
    },
  };
}

/** The first is for clients. */
async function listenAll(deps: Deps, config: Config): Promise<[Listener, ...Listener[]]> {
  if (config.operationsPort === undefined) {
    const app = createApp(deps);
    return [await listen((request) => app.fetch(request), config)];
  }
  const { app, operations } = createSplitApps(deps);
  const { host, operationsPort: port, connections } = config;
  const second = await listen((request) => operations.fetch(request), { host, port, connections });
  deps.log.write({ level: "info", message: "operations", port: second.port });
  return [await listen((request) => app.fetch(request), config), second];
}

async function prove(models: Models): Promise<void> {
  await Promise.all(models.all.map(({ pool }) => pool.open()));
  for (const model of models.all) await replayGolden(model);
}

async function readAbout({ record, revision }: Config): Promise<About> {
  const found = record === undefined ? undefined : await readJson(record, ReleaseRecord);
  const proven = found === undefined ? {} : { release: found.release, proof: proofOf(found) };
  return { ...proven, ...(revision === undefined ? {} : { revision }) };
}

type About = Pick<Deps, "release" | "proof" | "revision">;

function openLogPush({ otlp }: Config, { release, revision }: About, local: Log): LogPush | undefined {
  if (otlp === undefined) return undefined;
  const processor = logPush(otlp.endpoint, local);
  return createLogPush({ resource: resourceOf(release?.id, revision), processor });
}

/** A collector that does not take the rest within two seconds does not hold up the drain. */
async function sendRest(senders: readonly { shutdown(): Promise<void> }[], local: Log): Promise<void> {
  const sent = Promise.allSettled(senders.map((sender) => sender.shutdown())).then(() => true);
  if (await Promise.race([sent, setTimeout(2_000, false, { ref: false })])) return;
  local.write({ level: "warn", message: "the last telemetry was not sent: the collector did not take it within 2 s" });
}

async function loadModels(config: Config, telemetry: Telemetry): Promise<Models> {
  const { models, workers, queue, waitMs, deadlineMs } = config;
  const limits = { workers, queue, waitMs, deadlineMs };
  const loaded = [];
  for (const dir of models) loaded.push(await loadModel(dir, limits, (model) => telemetry.poolEvents(model)));
  for (const model of loaded) telemetry.watchPool(model, model.pool);
  return new Models(loaded);
}

const dayMs = 86_400_000;

async function openIdempotency({ idempotency: path, deadlineMs }: Config): Promise<Idempotency> {
  const store = path === undefined ? new MemoryStore() : await openSqliteStore(path);
  return { store, ttlMs: dayMs, claimMs: 2 * deadlineMs, maxBytes: 65_536 };
}
