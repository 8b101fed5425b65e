import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createKey, writeKeys } from "../../pipeline/src/release/key.ts";

export const root = join(import.meta.dir, "..", "..");
const peerPackages = [
  "fastapi==0.165.0",
  "uvicorn==0.54.0",
  "uvloop==0.23.0",
  "httptools==0.9.0",
  "onnxruntime==1.30.0",
  "numpy==2.4.6",
];

/** A server that is measured. `startMs` is the time from its start until it was ready. */
export type Side = {
  name: string;
  port: number;
  pid: number;
  path: string;
  headers: Record<string, string>;
  startMs: number;
  stop(): Promise<void>;
};

/** A model that is measured. */
export type Measured = { name: string; dir: string };

export const tabular: Measured = { name: "tabular", dir: join(root, "test", "fixtures", "models", "tabular", "1.0.0") };
export const magika: Measured = { name: "magika", dir: join(root, "models", "magika", "3.3.0") };

/** Sluice with everything on: key, schemas, metrics, traces of a hundredth, rate limit, log lines; logs, metrics and traces are sent. */
export async function startSluice(model: Measured, workers = 1): Promise<Side & { key: string }> {
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

/** FastAPI on uvicorn, in a virtual environment that is made once; undefined when there is no Python. */
export async function startPeer(model: string): Promise<Side | undefined> {
  if (Bun.which("python3") === null) return undefined;
  const python = await peerPython();
  const start = performance.now();
  const child = Bun.spawn([python, join(import.meta.dir, "service-peer.py"), model], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const { port, pid } = JSON.parse(new TextDecoder().decode(value));
  await until(() => fetch(`http://127.0.0.1:${port}/docs`).then((response) => response.ok));
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { name: "FastAPI", port, pid, path: "/predict", headers: {}, startMs: performance.now() - start, stop };
}

/** A Bun server that reads nothing and answers a constant: the limit of the client and the runtime. */
export function startEmpty(): Side {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("{}") });
  const stop = () => server.stop(true);
  return {
    name: "empty Bun server",
    port: server.port ?? 0,
    pid: process.pid,
    path: "/",
    headers: {},
    startMs: 0,
    stop,
  };
}

async function peerPython(): Promise<string> {
  const venv = join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
    "sluice",
    `bench-${Bun.hash(peerPackages.join()).toString(36)}`,
  );
  const python = join(venv, "bin", "python");
  if (await Bun.file(join(venv, "done")).exists()) return python;
  await mkdir(venv, { recursive: true });
  await Bun.$`python3 -m venv ${venv}`.quiet();
  await Bun.$`${python} -m pip install --quiet --disable-pip-version-check ${peerPackages}`.quiet();
  await Bun.write(join(venv, "done"), "");
  return python;
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1_000; i += 1) {
    if (await check().catch(() => false)) return;
    await Bun.sleep(10);
  }
  throw new Error("Cannot measure: a server did not become ready in 10 s");
}
