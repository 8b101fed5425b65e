// A program of its own, started in a network that has loopback only: bun inside.ts <task.json>.
// It starts the image's service there, asks it the golden questions, and writes one SandboxRun to stdout.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readManifest } from "../../release/folder.ts";
import { DeployError } from "../../spec/error.ts";
import { Golden } from "../../spec/golden.ts";
import { type SandboxRun, SandboxTask } from "../../spec/image.ts";
import { readJson } from "../../spec/read.ts";
import { replayOverHttp } from "../golden-http.ts";
import { sandboxArgv } from "./argv.ts";
import { makeCgroup } from "./cgroup.ts";
import { statusOfService } from "./process.ts";

const pauseMs = 50;

async function run(task: SandboxTask): Promise<SandboxRun> {
  const group = await makeCgroup(task.limits);
  const argv = sandboxArgv(task);
  const [program = "", ...args] = group?.enter(argv) ?? argv;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  const keep = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-2_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new Promise<SandboxRun>((resolve) => {
    child.on("error", (error) => resolve({ kind: "unmeasured", reason: `Cannot start ${program}: ${error.message}` }));
    child.on("close", (code) => resolve(endOf(code ?? -1, log.trim())));
  });
  try {
    return await Promise.race([ended, ask(task, child.pid ?? 0, group !== undefined)]);
  } finally {
    child.kill("SIGKILL");
    await ended;
    await group?.remove();
  }
}

/** An end of the wrappers is ours, not the image's. */
function endOf(exitCode: number, log: string): SandboxRun {
  if (!/^(?:bwrap|setpriv|prlimit): /m.test(log)) return { kind: "ended", exitCode, log };
  return { kind: "unmeasured", reason: `Cannot run image: ${log}` };
}

async function ask(task: SandboxTask, pid: number, isConfined: boolean): Promise<SandboxRun> {
  const address = `http://127.0.0.1:${task.config.env.SLUICE_PORT ?? "8080"}`;
  const startedAt = performance.now();
  const deadline = startedAt + task.limits.readySeconds * 1000;
  while (!(await isReady(address))) {
    if (performance.now() > deadline) {
      return { kind: "ended", exitCode: -1, log: `it was not ready in ${task.limits.readySeconds} s` };
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  const readyMs = performance.now() - startedAt;
  const key = (await readFile(task.keyFile, "utf8")).trim();
  const { cases, disagreement } = await replay(address, key, task.modelDir);
  const status = { ...(await statusOfService(pid)), isConfined };
  return { kind: "ran", readyMs, cases, ...(disagreement === undefined ? {} : { disagreement }), ...status };
}

async function replay(
  address: string,
  key: string,
  modelDir: string,
): Promise<{ cases: number; disagreement?: string }> {
  try {
    const { manifest } = await readManifest(modelDir);
    const { cases } = await readJson(join(modelDir, manifest.golden), Golden);
    await replayOverHttp(address, key, modelDir);
    return { cases: cases.length };
  } catch (error) {
    if (error instanceof DeployError) return { cases: 0, disagreement: error.message };
    throw error;
  }
}

function isReady(address: string): Promise<boolean> {
  return fetch(new URL("/readyz", address)).then(
    (response) => response.ok,
    () => false,
  );
}

const [path = ""] = process.argv.slice(2);
console.log(JSON.stringify(await run(await readJson(path, SandboxTask))));
process.exit(0);
