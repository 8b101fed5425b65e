import type { MemorySample } from "../../decide/growth.ts";
import { runTool } from "../tool.ts";

const everyMs = 1000;

/** Samples of one process so far. */
export interface MemoryWatch {
  readonly samples: MemorySample[];
  stop: () => void;
}

/** Watches a process's resident memory until it is stopped; a process that cannot be seen leaves no sample. */
export function watchMemory(pid: number): MemoryWatch {
  const began = performance.now();
  const samples: MemorySample[] = [];
  const look = async () => {
    const { stdout } = await runTool("ps", ["-o", "rss=", "-p", String(pid)], { timeoutMs: everyMs });
    const kib = Number.parseInt(stdout, 10);
    if (kib > 0) samples.push({ atSeconds: (performance.now() - began) / 1000, mib: kib / 1024 });
  };
  const timer = setInterval(() => void look(), everyMs);
  return { samples, stop: () => clearInterval(timer) };
}
