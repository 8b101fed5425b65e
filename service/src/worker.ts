import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { readListed } from "../../pipeline/src/release/folder.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import { type FromWorker, packResults, type ToWorker, type WorkerStart } from "./message.ts";
import { runBatch } from "./run.ts";
import { createSession } from "./session.ts";
import { importTransformer } from "./transformer.ts";

/** A worker thread: holds one session and answers tasks, one batch at a time. */
async function main({ dir, manifest, model }: WorkerStart): Promise<void> {
  const bytes = await readListed(dir, model); // the very bytes that were hashed become the session
  const session = await createSession(bytes, manifest);
  const transformer = await importTransformer(join(dir, manifest.transformer));
  let last = Promise.resolve();
  parentPort?.on("message", (message: ToWorker) => {
    last = last.then(async () => {
      const { results, times } = await runBatch({ session, transformer }, message);
      post(packResults(results, times));
    });
  });
  post({ kind: "ready" });
}

function post(message: FromWorker): void {
  parentPort?.postMessage(message);
}

main(workerData).catch((error: unknown) => {
  const code = error instanceof DeployError ? error.code : "E_TOOL";
  post({ kind: "refused", code, message: error instanceof Error ? error.message : String(error) });
});
