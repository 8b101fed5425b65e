import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "./folder.ts";

/** Whether this process may mount a file system of its own. */
export const mayMount = process.platform === "linux" && process.getuid?.() === 0;

/** A disk in memory that can be filled to the last byte, and emptied again. */
export type SmallDisk = { path: string; fill: () => Promise<void>; empty: () => void };

/** Mounts a disk of `size` (such as `4m`) at `path`. Root on Linux only. */
export function mountSmallDisk(path: string, size: string): SmallDisk & Disposable {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "sluice-test", path]);
  const filler = join(path, "filler");
  return {
    path,
    fill: async () => {
      const block = Buffer.alloc(4096);
      for (;;) {
        try {
          await writeFile(filler, block, { flag: "a" });
        } catch (error) {
          if (error instanceof Error && "code" in error && error.code === "ENOSPC") return;
          throw error;
        }
      }
    },
    empty: () => rmSync(filler, { force: true }),
    [Symbol.dispose]: () => void execFileSync("umount", ["--lazy", path]),
  };
}

/** A small disk in a folder of its own. */
export async function aSmallDisk(size: string): Promise<SmallDisk & AsyncDisposable> {
  const folder = await temporaryFolder();
  const disk = mountSmallDisk(folder.path, size);
  return {
    ...disk,
    [Symbol.asyncDispose]: async () => {
      disk[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
