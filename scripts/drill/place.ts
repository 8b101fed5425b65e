import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** What a command left behind; `output` is stdout and stderr as they came. */
export interface Ran {
  exit: number | null;
  output: string;
  stdout: string;
}

/** A repository for a drill, with the shipped policies and some of the shipped models. */
export interface DrillPlace extends AsyncDisposable {
  source: string;
  sluice: (command: string) => Promise<Ran>;
}

/** Lays down a repository; its site is taken down and all of it is removed at the end. */
export async function aPlace(...models: string[]): Promise<DrillPlace> {
  const source = await mkdtemp(join(tmpdir(), "sluice-drill-"));
  await cp(join(root, "policies"), join(source, "policies"), { recursive: true });
  for (const model of models) {
    await mkdir(join(source, "models", model), { recursive: true });
    await cp(join(root, "models", model), join(source, "models", model), { recursive: true });
  }
  const sluice = (command: string) => run([...command.split(" "), "--source", source]);
  return {
    source,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice("site down");
      await rm(source, { recursive: true, force: true });
    },
  };
}

function run(args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [join(root, "pipeline/src/cli.ts"), ...args]);
  const text = { output: "", stdout: "" };
  child.stdout.on("data", (chunk) => {
    text.stdout += chunk;
    text.output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text.output += chunk;
  });
  return new Promise((done) => child.on("close", (exit) => done({ exit, ...text })));
}
