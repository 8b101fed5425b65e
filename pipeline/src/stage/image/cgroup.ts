import { existsSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageLimits } from "../../spec/image.ts";

/** A group of processes that the kernel holds to limits. */
export type Cgroup = {
  /** The command that runs `argv` in the group. */
  enter: (argv: readonly string[]) => string[];
  /** Takes the group away; its processes have ended. */
  remove: () => Promise<void>;
};

const root = "/sys/fs/cgroup";
const attempts = 40;
const pauseMs = 50;

/** Makes a group with the image's memory and processes; undefined where this machine does not let us. Linux, root. */
export async function makeCgroup({ memoryMiB, threads }: ImageLimits): Promise<Cgroup | undefined> {
  const name = `sluice-${crypto.randomUUID()}`;
  const bytes = String(memoryMiB * 2 ** 20);
  const limits: [folder: string, file: string, value: string][] = existsSync(join(root, "cgroup.controllers"))
    ? [
        [join(root, name), "memory.max", bytes],
        [join(root, name), "pids.max", String(threads)],
      ]
    : [
        [join(root, "memory", name), "memory.limit_in_bytes", bytes],
        [join(root, "pids", name), "pids.max", String(threads)],
      ];
  const folders = [...new Set(limits.map(([folder]) => folder))];
  const remove = async () => {
    for (const folder of folders) await removeFolder(folder);
  };
  try {
    for (const folder of folders) await mkdir(folder);
    for (const [folder, file, value] of limits) await writeFile(join(folder, file), value);
  } catch {
    await remove();
    return undefined; // read-only, or not ours to divide: the limits are measured all the same
  }
  const move = folders.map((folder) => `echo 0 > ${folder}/cgroup.procs`).join(" && ");
  return { enter: (argv) => ["sh", "-c", `${move} && exec "$@"`, "sh", ...argv], remove };
}

/** A group is busy for a moment after its last process ended. */
async function removeFolder(folder: string): Promise<void> {
  for (let i = 0; i < attempts && existsSync(folder); i++) {
    await rmdir(folder).catch(() => new Promise((resolve) => setTimeout(resolve, pauseMs)));
  }
}
