import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { features, type Side, tabular } from "./service-sides.ts";

/** What another server is made of, and how it is started in its virtual environment. */
type Peer = {
  name: string;
  packages: string[];
  path: string;
  readyPath: string;
  body: string;
  command: (start: { bin: string; port: number; folder: string }) => string[] | Promise<string[]>;
};

const folder = join(import.meta.dir, "peers");
const engine = ["onnxruntime==1.30.0", "numpy==2.4.6"];
const typed = JSON.stringify({ features });
const tensors = JSON.stringify({ inputs: [{ name: "features", shape: [1, 30], datatype: "FP32", data: features }] });

const peers: Peer[] = [
  {
    name: "FastAPI",
    packages: ["fastapi==0.165.0", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0", ...engine],
    path: "/predict",
    readyPath: "/docs",
    body: typed,
    command: ({ bin, port }) => [join(bin, "python"), join(folder, "peer_fastapi.py"), String(port)],
  },
  {
    name: "BentoML",
    packages: ["bentoml==1.4.40", ...engine],
    path: "/predict",
    readyPath: "/readyz",
    body: typed,
    command: ({ bin, port }) => {
      const where = ["--working-dir", folder, "--host", "127.0.0.1", "--port", String(port)];
      return [join(bin, "bentoml"), "serve", "peer_bentoml:Tabular", ...where];
    },
  },
  {
    name: "MLServer",
    packages: ["mlserver==1.7.1", "onnxruntime==1.30.0"],
    path: "/v2/models/tabular/infer",
    readyPath: "/v2/health/ready",
    body: tensors,
    async command({ bin, port, folder: state }) {
      const ports = { http_port: port, grpc_port: freePort(), metrics_port: freePort() };
      const settings = { host: "127.0.0.1", debug: false, parallel_workers: 0, ...ports };
      await Bun.write(join(state, "settings.json"), JSON.stringify(settings));
      const model = { name: "tabular", implementation: "peer_mlserver.Tabular" };
      await Bun.write(join(state, "model-settings.json"), JSON.stringify(model));
      return [join(bin, "mlserver"), "start", state];
    },
  },
];

/** Starts the other servers on the tabular model; those whose packages cannot be had are named on stderr and left out. */
export async function startPeers(): Promise<Side[]> {
  const sides: Side[] = [];
  for (const peer of peers) {
    try {
      sides.push(await startPeer(peer));
    } catch (error) {
      console.error(`Cannot measure ${peer.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return sides;
}

async function startPeer({ name, packages, path, readyPath, body, command }: Peer): Promise<Side> {
  const bin = join(await environmentOf(name.toLowerCase(), packages), "bin");
  const state = await mkdtemp(join(tmpdir(), "sluice-peer-"));
  const port = freePort();
  const start = performance.now();
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    PYTHONPATH: folder,
    HOME: state,
    PEER_MODEL: join(tabular.dir, "model.onnx"),
  };
  const words = await command({ bin, port, folder: state });
  const child = Bun.spawn(words, { env, cwd: state, stdout: "ignore", stderr: Bun.file(join(state, "log")) });
  const stop = async () => {
    child.kill("SIGTERM");
    await child.exited;
    await rm(state, { recursive: true, force: true });
  };
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${await Bun.file(join(state, "log")).text()}`);
      const answer = await fetch(`http://127.0.0.1:${port}${readyPath}`).catch(() => undefined);
      return answer?.ok === true;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, port, pid: child.pid, path, headers: {}, startMs: performance.now() - start, body, stop };
}

/** A virtual environment with these packages, made once and kept beside the user's other caches. */
async function environmentOf(name: string, packages: string[]): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const venv = join(cache, "sluice", `bench-${name}-${Bun.hash(packages.join()).toString(36)}`);
  if (await Bun.file(join(venv, "done")).exists()) return venv;
  await mkdir(venv, { recursive: true });
  await Bun.$`python3 -m venv ${venv}`.quiet();
  await Bun.$`${join(venv, "bin", "python")} -m pip install --quiet --disable-pip-version-check ${packages}`.quiet();
  await Bun.write(join(venv, "done"), "");
  return venv;
}

function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port = 0 } = server;
  void server.stop(true);
  return port;
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 6_000; i += 1) {
    if (await check()) return;
    await Bun.sleep(10);
  }
  throw new Error("it did not become ready in 60 s");
}
