import { rename, writeFile } from "node:fs/promises";
import { DeployError, type ErrorCode } from "../../pipeline/src/spec/error.ts";
import { readConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { type Service, startService } from "./service.ts";

const log = createLog(print, () => new Date());

// A log that cannot be written, to a full disk or to a reader that is gone, is no reason to stop serving.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

function print(text: string): void {
  try {
    process.stdout.write(text);
  } catch {
    // Deno throws where the others tell the stream.
  }
}

/** The process: reads the environment, starts the service, tells when it is ready, drains on a signal. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const service = await startService(config, log);
  endOnSignal(service);
  await service.ready;
  const { port } = service;
  log.write({ level: "info", message: "ready", port, pid: process.pid });
  if (config.readyFile !== undefined) await writeReady(config.readyFile, { port, pid: process.pid });
}

/** The first signal drains; the second ends at once. */
function endOnSignal(service: Service): void {
  let draining = false;
  const onSignal = (signal: string) => {
    if (draining) exit(1, "info", `Ended by a second ${signal}: running requests were cut`);
    draining = true;
    log.write({ level: "info", message: "draining", signal });
    service.drain().then(() => exit(0, "info", "drained"), fail);
  };
  process.on("SIGTERM", () => onSignal("SIGTERM"));
  process.on("SIGINT", () => onSignal("SIGINT"));
}

async function writeReady(path: string, ready: { port: number; pid: number }): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify(ready), { mode: 0o600 });
  await rename(temporary, path);
}

/** 2: what was configured cannot be used; 3: bytes or golden outputs are not those that were approved; 1: a bug. */
const exitCodes: Partial<Record<ErrorCode, number>> = { E_USAGE: 2, E_FILE: 2, E_DIGEST: 3, E_GATE: 3, E_TOOL: 5 };

function fail(error: unknown): void {
  if (error instanceof DeployError) exit(exitCodes[error.code] ?? 1, "error", error.message, { code: error.code });
  else exit(1, "error", error instanceof Error ? (error.stack ?? error.message) : String(error));
}

function exit(code: number, level: "info" | "error", message: string, more: Record<string, unknown> = {}): void {
  log.write({ level, message, ...more });
  log.flush();
  process.exit(code);
}

main().catch(fail);
