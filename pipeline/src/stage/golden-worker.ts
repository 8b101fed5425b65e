import { Worker } from "node:worker_threads";
import type { Replay } from "../spec/verify.ts";

/**
 * A process around one thread. The thread may block for ever in a model or transformer; the process notices that its
 * parent is gone, and ends both.
 */
process.once("disconnect", () => process.exit(1));
const thread = new Worker(new URL("golden-thread.ts", import.meta.url));
process.once("message", (task) => thread.postMessage(task));
thread.once("message", answer);
thread.once("error", (error) => lose(`its thread failed: ${error instanceof Error ? error.message : String(error)}`));
thread.once("exit", (code) => lose(`its thread ended with ${code} before the answer`));

function lose(state: string): void {
  answer({ kind: "lost", reason: `Cannot replay golden cases: ${state}` });
}

function answer(replay: Replay): void {
  process.send?.(replay);
}
