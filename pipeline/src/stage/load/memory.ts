import type { MemorySample } from "../../decide/growth.ts";
import { runTool } from "../tool.ts";

const everyMs = 1000;

/** Watches a process's resident memory until it is stopped; a process that cannot be seen leaves no sample. */
export function watchMemory(pid: number): { stop(): Promise<MemorySample[]> } {
  const began = performance.now();
  const samples: MemorySample[] = [];
  let last: Promise<void> = Promise.resolve();
  const look = async () => {
    const { stdout } = await runTool("ps", ["-o", "rss=", "-p", String(pid)], { timeoutMs: everyMs });
    const kib = Number.parseInt(stdout, 10);
    if (kib > 0) samples.push({ atSeconds: (performance.now() - began) / 1000, mib: kib / 1024 });
  };
  const timer = setInterval(() => {
    last = look();
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await last;
      return samples;
    },
  };
}
