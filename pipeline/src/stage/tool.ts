import { spawn } from "node:child_process";

/** How a program ended. `missing`: there is none of that name; `killed`: by a signal that was not ours. */
export type ToolRun = {
  outcome: "exited" | "missing" | "timed out" | "killed";
  /** -1 unless it exited. */
  exitCode: number;
  stdout: string;
  stderr: string;
  durationMs: number;
};

/**
 * Runs `program` with `args`, no shell, and waits for it. Never throws for what the program does.
 * On time-out its whole process group is killed. Of each stream the last `keep` characters are kept (1 Mi). `env` replaces this process's.
 */
export function runTool(
  program: string,
  args: readonly string[],
  options: { timeoutMs: number; cwd?: string; env?: NodeJS.ProcessEnv; keep?: number },
): Promise<ToolRun> {
  const { promise, resolve } = Promise.withResolvers<ToolRun>();
  const startedAt = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    cwd: options.cwd,
    env: options.env,
  });
  const keep = options.keep ?? 1 << 20;
  const read = { stdout: tail(child.stdout, keep), stderr: tail(child.stderr, keep) };
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, options.timeoutMs);
  const end = (outcome: ToolRun["outcome"], exitCode: number) => {
    clearTimeout(timer);
    resolve({
      outcome,
      exitCode,
      stdout: read.stdout(),
      stderr: read.stderr(),
      durationMs: performance.now() - startedAt,
    });
  };
  child.on("error", () => end("missing", -1));
  child.on("close", (code) => {
    if (timedOut) end("timed out", -1);
    else if (code === null) end("killed", -1);
    else end("exited", code);
  });
  return promise;
}

function tail(stream: NodeJS.ReadableStream, keep: number): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text = (text + chunk).slice(-keep);
  });
  return () => text;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
