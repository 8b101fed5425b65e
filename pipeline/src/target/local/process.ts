import { type ChildProcess, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A living process: ours by birth, or found alive by a later site. */
export type Process = {
  pid: number;
  /** When it started, in the system's own words; empty when that is not known. */
  started: string;
  /** Resolves with how it ended, such as `exit code 3` or `signal SIGKILL`. */
  ended: Promise<string>;
  kill: (signal: NodeJS.Signals) => void;
};

const pollMs = 100;

/** A process that this one gave birth to. */
export function ownProcess(child: ChildProcess, pid: number): Process {
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  return { pid, started: startOf(pid), ended, kill: (signal) => void child.kill(signal) };
}

/** A process that an earlier site gave birth to, or undefined when it is gone. Nobody tells of its end: it is polled. */
export function foundProcess(pid: number, started: string): Process | undefined {
  if (!isSame(pid, started)) return undefined;
  const ended = new Promise<string>((resolve) => {
    const timer = setInterval(() => {
      if (isSame(pid, started)) return;
      clearInterval(timer);
      resolve("unknown exit code");
    }, pollMs);
    timer.unref();
  });
  const kill = (signal: NodeJS.Signals) => {
    if (isSame(pid, started)) process.kill(pid, signal);
  };
  return { pid, started, ended, kill };
}

/** A pid alone may belong to another process by now: the start must be equal too. */
function isSame(pid: number, started: string): boolean {
  return pid > 0 && started !== "" && startOf(pid) === started;
}

/** When a process started: ticks since boot on Linux, else the text of `ps`; empty when it is gone or a zombie. */
export function startOf(pid: number): string {
  try {
    if (process.platform !== "linux")
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)])
        .toString()
        .trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name in brackets may hold spaces
    return fields[0] === "Z" ? "" : (fields[19] ?? "");
  } catch {
    return "";
  }
}
