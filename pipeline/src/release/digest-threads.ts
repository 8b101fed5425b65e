import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import type { DigestFiles, FileDigest } from "./digest.ts";

const Answer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("digest"), digest: Digest, size: z.int() }),
  z.strictObject({ kind: z.literal("refused"), message: z.string() }),
]);

/**
 * Digests many files on all cores, largest first being the caller's matter. For folders of hundreds of megabytes: below
 * that, starting threads takes longer than hashing. Throws like `digestFile`.
 */
export const digestInThreads: DigestFiles = async (paths) => {
  const results: FileDigest[] = [];
  const queue = paths.entries();
  const lane = async () => {
    const thread = openThread();
    try {
      for (const [i, path] of queue) results[i] = await thread.digest(path);
    } finally {
      await thread.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), paths.length) }, lane));
  return results;
};

function openThread(): { digest(path: string): Promise<FileDigest>; close(): Promise<unknown> } {
  const worker = new Worker(new URL("digest-worker.ts", import.meta.url));
  return {
    digest(path) {
      const { promise, resolve, reject } = Promise.withResolvers<FileDigest>();
      worker.once("error", reject);
      worker.once("message", (message) => {
        worker.off("error", reject);
        const answer = Answer.parse(message);
        if (answer.kind === "refused") reject(new DeployError("E_FILE", answer.message));
        else resolve({ digest: answer.digest, size: answer.size });
      });
      worker.postMessage(path);
      return promise;
    },
    close: () => worker.terminate(),
  };
}
