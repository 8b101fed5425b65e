import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { startOf } from "../local/process.ts";
import { until } from "../wait.ts";

/** The master process that a pid file names, or undefined when none lives. */
export async function masterOf(pidFile: string): Promise<number | undefined> {
  const text = await readFile(pidFile, "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  if (!(pid > 0) || startOf(pid) === "") return undefined;
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return name.trim() === "haproxy" ? pid : undefined;
}

/**
 * Tells a master to reload, once it listens. While it comes up from the reload before, its new worker answers already,
 * and it ignores the signal.
 */
export async function tellReload(master: number, seconds: number): Promise<void> {
  await until(seconds, async () => (await catches(master, constants.signals.SIGUSR2)) || undefined);
  process.kill(master, "SIGUSR2");
}

/** Whether a process has a handler for a signal, as Linux tells it: one bit for each, from 1. */
async function catches(pid: number, signal: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n;
}
