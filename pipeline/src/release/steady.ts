import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { DeployError } from "../spec/error.ts";

const chunkBytes = 1 << 20;
/** How many chunks are read before other work of this thread has its turn: about 10 ms. */
const turn = 16;
// A symbolic link is refused, and a pipe or device does not block the open.
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Hands a regular file's bytes to `take`, chunk by chunk with the size of the whole, and returns that size. A chunk is valid only
 * during the call. Throws `E_FILE` when the path is no regular file, or has more than `maxBytes`, or its size or times change
 * while it is read.
 *
 * Reads without a thread pool: the kernel reads ahead by itself, and handing chunks from thread to thread costs a tenth.
 */
export async function readSteadily(
  path: string,
  take: (chunk: Uint8Array, whole: number) => void,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<number> {
  const file = openFile(path);
  try {
    const before = requireFile(path, fstatSync(file));
    if (before.size > maxBytes) {
      throw new DeployError("E_FILE", `Cannot read ${path}: it has ${before.size} bytes, more than ${maxBytes} bytes`);
    }
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, before.size + 1));
    let size = 0;
    for (let chunk = 1; ; chunk++) {
      const read = readSync(file, buffer);
      size += read;
      if (read === 0 || size > before.size) break;
      take(buffer.subarray(0, read), before.size);
      if (chunk % turn === 0) await setImmediate();
    }
    requireSame(path, before, fstatSync(file), size);
    return size;
  } finally {
    closeSync(file);
  }
}

/** Reads a regular file of at most `maxBytes` whole; throws `E_FILE`. */
export async function readWhole(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(0);
  let position = 0;
  const keep = (chunk: Uint8Array, whole: number) => {
    if (position === 0) bytes = new Uint8Array(whole);
    if (position + chunk.length <= whole) bytes.set(chunk, position); // More than that is told once it is read.
    position += chunk.length;
  };
  await readSteadily(path, keep, maxBytes);
  return bytes;
}

function openFile(path: string): number {
  try {
    return openSync(path, readOnly);
  } catch (cause) {
    throw cannotOpen(path, cause);
  }
}

function cannotOpen(path: string, cause: unknown): DeployError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const words = new Map<unknown, string>([
    ["ENOENT", "file does not exist"],
    ["ELOOP", "it is a symbolic link, expected a regular file"],
    ["EACCES", "permission denied"],
  ]);
  return new DeployError("E_FILE", `Cannot read ${path}: ${words.get(code) ?? String(cause)}`, { cause });
}

function requireFile(path: string, found: Stats): Stats {
  if (found.isFile()) return found;
  throw new DeployError("E_FILE", `Cannot read ${path}: it is no regular file`);
}

function requireSame(path: string, before: Stats, after: Stats, size: number): void {
  const isSame = before.size === after.size && before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs;
  if (size === before.size && isSame) return;
  throw new DeployError(
    "E_FILE",
    `Cannot read ${path}: it changed while it was read; next: stop its writer, try again`,
  );
}
