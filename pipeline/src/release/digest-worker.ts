import { parentPort } from "node:worker_threads";
import { digestFile } from "./digest.ts";

/** A thread that digests one file for each path it is sent. */
async function answer(path: string): Promise<void> {
  const found = await digestFile(path).then(
    (file) => ({ kind: "digest", ...file }),
    (error: unknown) => ({ kind: "refused", message: error instanceof Error ? error.message : String(error) }),
  );
  parentPort?.postMessage(found);
}

parentPort?.on("message", (path: string) => void answer(path));
