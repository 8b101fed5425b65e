import { parentPort, workerData } from "node:worker_threads";
import { digestShare } from "./digest-threads.ts";

/** A thread that takes its share of a queue of files. */
parentPort?.postMessage(
  await digestShare(workerData).then(
    (found) => ({ kind: "found", found: [...found] }),
    (error: unknown) => ({ kind: "refused", message: error instanceof Error ? error.message : String(error) }),
  ),
);
