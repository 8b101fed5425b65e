import { type FSWatcher, watch } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { z } from "zod";
import type { Process } from "./process.ts";

/** What a revision writes when it is ready. */
const ReadyFile = z.strictObject({ port: z.int().positive(), pid: z.int().positive() });
export type ReadyFile = z.infer<typeof ReadyFile>;

/** Makes place for a new ready file; call before the process starts. */
export async function clearReady(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
}

/** What the file says, or undefined when it is not there or not whole. */
export async function readReady(path: string): Promise<ReadyFile | undefined> {
  try {
    return ReadyFile.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Waits until `process` is ready. Otherwise says in words why it is not: it ended, or time ran out. */
export async function waitReady(path: string, process: Process, seconds: number): Promise<ReadyFile | string> {
  let watcher: FSWatcher | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<ReadyFile | string>((resolve) => {
      const look = async () => {
        const ready = await readReady(path);
        if (ready?.pid === process.pid) resolve(ready);
      };
      watcher = watch(dirname(path), (_, name) => {
        if (name === null || name === basename(path)) void look();
      });
      timer = setTimeout(() => resolve(`it was not ready after ${seconds} s`), seconds * 1_000);
      void process.ended.then((how) => resolve(`it ended with ${how}`));
      void look();
    });
  } finally {
    watcher?.close();
    clearTimeout(timer);
  }
}
