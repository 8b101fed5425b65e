import { parentPort } from "node:worker_threads";
import { digestFileNow } from "./digest.ts";

/** A thread that digests one file for each path it is sent. */
parentPort?.on("message", (path: string) => parentPort?.postMessage(answer(path)));

function answer(path: string): unknown {
  try {
    return { kind: "digest", ...digestFileNow(path) };
  } catch (error) {
    return { kind: "refused", message: error instanceof Error ? error.message : String(error) };
  }
}
