import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Replay, ReplayTask } from "../spec/verify.ts";
import { replayGolden } from "./golden-replay.ts";

/**
 * A process around one thread. The thread may block for ever in a model or transformer; the process notices that its
 * parent is gone, and ends both.
 */
function supervise(): void {
  process.once("disconnect", () => process.exit(1));
  process.once("message", (task) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: task });
    thread.once("message", answer);
    thread.once("error", (error) =>
      lose(`its thread failed: ${error instanceof Error ? error.message : String(error)}`),
    );
    thread.once("exit", (code) => lose(`its thread ended with ${code} before the answer`));
  });
}

function lose(state: string): void {
  answer({ kind: "lost", reason: `Cannot replay golden cases: ${state}` });
}

function answer(replay: Replay): void {
  process.send?.(replay);
}

if (isMainThread) supervise();
else parentPort?.postMessage(await replayGolden(ReplayTask.parse(workerData)));
