import { createHash, type Hash } from "node:crypto";
import type { Digest } from "../spec/digest.ts";
import { readSteadily } from "./steady.ts";

/** A file's digest and its size in bytes. */
export interface FileDigest {
  digest: Digest;
  size: number;
}

/** Digests files, in the order of their paths. */
export type DigestFiles = (paths: readonly string[]) => Promise<FileDigest[]>;

/** SHA-256 of bytes in memory. */
export function digestBytes(bytes: Uint8Array | string): Digest {
  return finish(createHash("sha256").update(bytes));
}

/** SHA-256 of a regular file in constant memory; throws `E_FILE` when it is none, or changes while it is read. */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = createHash("sha256");
  const size = await readSteadily(path, (chunk) => hash.update(chunk));
  return { digest: finish(hash), size };
}

/** Digests many files, one after the other. */
export const digestFiles: DigestFiles = async (paths) => {
  const found: FileDigest[] = [];
  for (const path of paths) found.push(await digestFile(path));
  return found;
};

/** One digest over many files, whatever their order: SHA-256 of one JSON line `[path,size,digest]` a file, sorted by path. */
export function digestList(files: readonly { path: string; size: number; digest: Digest }[]): Digest {
  const hash = createHash("sha256");
  for (const { path, size, digest } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${JSON.stringify([path, size, digest])}\n`);
  }
  return finish(hash);
}

function finish(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}`;
}
