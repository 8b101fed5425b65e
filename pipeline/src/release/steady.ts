import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { DeployError } from "../spec/error.ts";

const chunkBytes = 1 << 20;
// A symbolic link is refused, and a pipe or device does not block the open.
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Hands a regular file's bytes to `take`, chunk by chunk, and returns its size. A chunk is valid only during the call.
 * Throws `E_FILE` when the path is no regular file, or its size or times change while it is read.
 */
export async function readSteadily(path: string, take: (chunk: Uint8Array) => void): Promise<number> {
  const file = await openFile(path);
  try {
    const before = await file.stat();
    if (!before.isFile()) throw new DeployError("E_FILE", `Cannot read ${path}: it is no regular file`);
    const size = await pump(file, take);
    const after = await file.stat();
    if (size !== before.size || !isSame(before, after)) {
      throw new DeployError(
        "E_FILE",
        `Cannot read ${path}: it changed while it was read; next: stop its writer, try again`,
      );
    }
    return size;
  } finally {
    await file.close();
  }
}

/** Reads a regular file of at most `maxBytes` whole; throws `E_FILE`. */
export async function readWhole(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  await readSteadily(path, (chunk) => {
    size += chunk.length;
    if (size > maxBytes) throw new DeployError("E_FILE", `Cannot read ${path}: it has more than ${maxBytes} bytes`);
    chunks.push(new Uint8Array(chunk));
  });
  const bytes = new Uint8Array(size);
  let position = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
  return bytes;
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, readOnly);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const words = new Map<unknown, string>([
      ["ENOENT", "file does not exist"],
      ["ELOOP", "it is a symbolic link, expected a regular file"],
      ["EACCES", "permission denied"],
    ]);
    throw new DeployError("E_FILE", `Cannot read ${path}: ${words.get(code) ?? String(cause)}`, { cause });
  }
}

/** Reads the next chunk while the one before is being hashed. */
async function pump(file: FileHandle, take: (chunk: Uint8Array) => void): Promise<number> {
  let current = Buffer.allocUnsafe(chunkBytes);
  let spare = Buffer.allocUnsafe(chunkBytes);
  let position = 0;
  let reading = file.read(current, 0, chunkBytes, position);
  for (;;) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) return position;
    position += bytesRead;
    reading = file.read(spare, 0, chunkBytes, position);
    take(current.subarray(0, bytesRead));
    [current, spare] = [spare, current];
  }
}

function isSame(before: Stats, after: Stats): boolean {
  return before.size === after.size && before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs;
}
