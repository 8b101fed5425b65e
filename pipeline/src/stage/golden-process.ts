import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Replay, type ReplayTask } from "../spec/verify.ts";

const worker = fileURLToPath(new URL("golden-worker.ts", import.meta.url));
// Bun would otherwise fetch a package that a transformer imports and nobody installed.
const noInstall = process.versions.bun === undefined ? [] : ["--no-install"];
const keptCharacters = 2_000;

/** A process that is ready for one replay, or getting ready; disposing of it kills whatever still runs. */
export type Replayer = Disposable & { replay(task: ReplayTask, timeoutMs: number): Promise<Replay> };

/**
 * Starts a process of its own for one replay: whatever the model or transformer does there, this process goes on. It gets no
 * environment but the PATH, and is killed at the deadline. `replay` never throws for what the release does.
 */
export function startReplayer(): Replayer {
  const child = fork(worker, [], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: noInstall,
    detached: true,
    env: { PATH: process.env.PATH ?? "", ORT_DISABLE_TELEMETRY: "1" },
  });
  const answer = answerOf(child);
  return {
    async replay(task, timeoutMs) {
      child.send(task, () => {}); // That it is gone is told by its exit.
      const late = Promise.withResolvers<Replay>();
      const timer = setTimeout(() => late.resolve(lost(`it was not done in ${timeoutMs} ms`)), timeoutMs);
      try {
        return await Promise.race([answer, late.promise]);
      } finally {
        clearTimeout(timer);
        kill(child);
      }
    },
    [Symbol.dispose]: () => kill(child),
  };
}

/** What the process answers, or how it ended without. */
function answerOf(child: ChildProcess): Promise<Replay> {
  const { promise, resolve } = Promise.withResolvers<Replay>();
  const words = lastWords(child);
  child.once("message", (message) => {
    const answer = Replay.safeParse(message);
    resolve(answer.success ? answer.data : lost(`its answer is ${answer.error.issues[0]?.message ?? "invalid"}`));
  });
  child.once("error", (error) => resolve(lost(error.message)));
  child.once("exit", (code, signal) => resolve(lost(`its process ended with ${signal ?? code}${words()}`)));
  return promise;
}

function lost(reason: string): Replay {
  return { kind: "lost", reason: `Cannot replay golden cases: ${reason}` };
}

function lastWords(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-keptCharacters);
  });
  return () => (text.trim() === "" ? "" : `: ${text.trim()}`);
}

/** The whole process group: a transformer may have started others. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
