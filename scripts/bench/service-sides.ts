import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey, writeKeys } from "../../pipeline/src/release/key.ts";

export const root = join(import.meta.dir, "..", "..");
/** A request of the tabular model. */
export const features = Array.from({ length: 30 }, (_, i) => i * 1.7 + 0.123);

/** A server that is measured. `startMs` is the time from its start until it was ready. */
export type Side = {
  name: string;
  port: number;
  pid: number;
  path: string;
  headers: Record<string, string>;
  startMs: number;
  /** Its own request, where it does not take the common one. */
  body?: string;
  stop(): Promise<void>;
};

/** A model that is measured. */
export type Measured = { name: string; dir: string };

export const tabular: Measured = { name: "tabular", dir: join(root, "test", "fixtures", "models", "tabular", "1.0.0") };
export const magika: Measured = { name: "magika", dir: join(root, "models", "magika", "3.3.0") };

/** Sluice with everything on: key, schemas, metrics, traces of a hundredth, rate limit, log lines; logs, metrics and traces are sent. */
export async function startSluice(
  model: Measured,
  workers = 1,
  settings: Record<string, string> = {},
): Promise<Side & { key: string }> {
  const state = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const { file, key } = createKey(
    { schema: "sluice/keys/v1", keys: [] },
    { id: "bench", scopes: ["predict", "metrics"] },
  );
  await writeKeys(join(state, "keys.json"), file);
  const sink = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({}) });
  const ready = join(state, "ready.json");
  const start = performance.now();
  const child = Bun.spawn([process.execPath, join(root, "service", "src", "main.ts")], {
    env: {
      SLUICE_MODELS: model.dir,
      SLUICE_KEYS: join(state, "keys.json"),
      SLUICE_READY_FILE: ready,
      SLUICE_WORKERS: String(workers),
      SLUICE_RATE: "1000000",
      SLUICE_OTLP: `http://127.0.0.1:${sink.port}`,
      ...settings,
    },
    stdout: Bun.file(join(state, "log")),
  });
  while (!(await Bun.file(ready).exists())) {
    if (child.exitCode !== null) throw new Error(`Cannot start Sluice: ${await Bun.file(join(state, "log")).text()}`);
    await Bun.sleep(5);
  }
  const startMs = performance.now() - start;
  const { port, pid } = await Bun.file(ready).json();
  const stop = async () => {
    child.kill("SIGTERM");
    await child.exited;
    await sink.stop(true);
    await rm(state, { recursive: true, force: true });
  };
  const headers = { authorization: `Bearer ${key}` };
  return { name: "Sluice", port, pid, path: `/v1/models/${model.name}/predict`, headers, startMs, stop, key };
}

/** An empty server in a process of its own, as every other side is: a request that crosses no process is no limit. */
export async function startEmpty(): Promise<Side> {
  const command = [process.execPath, join(import.meta.dir, "service-empty.ts")];
  const child = Bun.spawn(command, { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  const stop = async () => {
    child.kill();
    await child.exited;
  };
  const port = Number(new TextDecoder().decode(value));
  return { name: "empty Bun server", port, pid: child.pid, path: "/", headers: {}, startMs: 0, stop };
}
