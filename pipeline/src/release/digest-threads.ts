import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DeployError } from "../spec/error.ts";
import { type DigestFiles, digestFile, type FileDigest } from "./digest.ts";

/** Files that several threads digest: each takes the next one, whose place in `paths` is the counter in `next`. */
type Queue = { paths: readonly string[]; next: Int32Array };

type Found = ReadonlyMap<number, FileDigest>;
type Answer = { kind: "found"; found: [number, FileDigest][] } | { kind: "refused"; message: string };

/**
 * Digests many files on all cores, this thread's included, the largest first. For folders of hundreds of megabytes: below
 * that, starting threads takes longer than hashing. Throws like `digestFile`.
 */
export const digestInThreads: DigestFiles = async (paths) => {
  const order = paths.map((path, i) => ({ i, path, size: sizeOf(path) })).toSorted((a, b) => b.size - a.size);
  const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const queue = { paths: order.map(({ path }) => path), next };
  const workers = Array.from({ length: Math.min(availableParallelism(), paths.length) - 1 }, () => openWorker(queue));
  const results: FileDigest[] = [];
  try {
    for (const found of await Promise.all([digestShare(queue), ...workers.map(answerOf)])) {
      for (const [at, digest] of found) results[order[at]?.i ?? at] = digest;
    }
    return results;
  } finally {
    for (const worker of workers) void worker.terminate();
  }
};

/** Takes files from the queue until it is empty; the results by their place in it. */
export async function digestShare({ paths, next }: Queue): Promise<Found> {
  const found = new Map<number, FileDigest>();
  for (;;) {
    const at = Atomics.add(next, 0, 1);
    const path = paths[at];
    if (path === undefined) return found;
    found.set(at, await digestFile(path));
  }
}

function openWorker(queue: Queue): Worker {
  return new Worker(new URL("digest-worker.ts", import.meta.url), { workerData: queue });
}

function answerOf(worker: Worker): Promise<Found> {
  const { promise, resolve, reject } = Promise.withResolvers<Found>();
  worker.once("error", reject);
  worker.once("message", (answer: Answer) => {
    if (answer.kind === "found") resolve(new Map(answer.found));
    else reject(new DeployError("E_FILE", answer.message));
  });
  return promise;
}

/** What is not there has its say when it is its turn. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
