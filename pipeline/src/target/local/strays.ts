import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Processes that a killed site began to start and had not yet kept: those whose ready file would be in `readyFolder`.
 * Linux only; elsewhere nothing is found, and such a process goes on idly.
 */
export async function findStrays(readyFolder: string): Promise<number[]> {
  const mark = `\0SLUICE_READY_FILE=${join(readyFolder, "/")}`;
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      return `\0${environment}`.includes(mark) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
