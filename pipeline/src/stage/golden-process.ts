import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Replay, type ReplayTask } from "../spec/verify.ts";

const worker = fileURLToPath(new URL("golden-worker.ts", import.meta.url));
// Bun would otherwise fetch a package that a transformer imports and nobody installed.
const noInstall = process.versions.bun === undefined ? [] : ["--no-install"];
const keptCharacters = 2_000;

/**
 * Replays a folder's golden cases in a process of its own: whatever the model or transformer does there, this process goes
 * on. It gets no environment but the PATH, and is killed at the deadline. Never throws for what the release does.
 */
export function replayInProcess(task: ReplayTask, timeoutMs: number): Promise<Replay> {
  const { promise, resolve } = Promise.withResolvers<Replay>();
  const child = fork(worker, [], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: noInstall,
    detached: true,
    env: { PATH: process.env.PATH ?? "", ORT_DISABLE_TELEMETRY: "1" },
  });
  const words = lastWords(child);
  const timer = setTimeout(() => end(lost(`it was not done in ${timeoutMs} ms`)), timeoutMs);
  const end = (outcome: Replay) => {
    clearTimeout(timer);
    kill(child);
    resolve(outcome);
  };
  child.once("message", (message) => {
    const answer = Replay.safeParse(message);
    end(answer.success ? answer.data : lost(`its answer is ${answer.error.issues[0]?.message ?? "invalid"}`));
  });
  child.once("error", (error) => end(lost(error.message)));
  child.once("exit", (code, signal) => end(lost(`its process ended with ${signal ?? code}${words()}`)));
  child.send(task);
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
