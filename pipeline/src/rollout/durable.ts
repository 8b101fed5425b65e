import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DeployError } from "../spec/error.ts";

/** Replaces a file as a whole: a reader, or the next run after a power cut, finds the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await onDisk(path, async () => {
    const temporary = await writeBeside(path, text);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  });
}

/** Creates a file as a whole; false when it is there already. */
export async function createFile(path: string, text: string): Promise<boolean> {
  return onDisk(path, async () => {
    const temporary = await writeBeside(path, text);
    try {
      await link(temporary, path);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
    await syncFolder(dirname(path));
    return true;
  });
}

/** Appends to a file and returns once the bytes are on the disk. */
export async function appendDurably(path: string, text: string): Promise<void> {
  await onDisk(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "a", 0o600);
    try {
      await file.appendFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  });
}

/** What a disk says when it takes no more. */
const diskWords: Record<string, string> = {
  ENOSPC: "no space is left on its disk",
  EDQUOT: "its user's quota is used up",
  EROFS: "its disk is read-only",
  EIO: "its disk fails",
};

/** Nobody's fault but the disk's: says so, instead of looking like a bug. */
async function onDisk<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const words = cause instanceof Error && "code" in cause ? diskWords[String(cause.code)] : undefined;
    if (words === undefined) throw cause;
    const next = "next: see to the disk, then run the command again";
    throw new DeployError("E_STATE", `Cannot write ${path}: ${words}; ${next}`, { cause });
  }
}

async function writeBeside(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
