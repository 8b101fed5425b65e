import { Worker } from "node:worker_threads";
import type { ErrorCode } from "../../pipeline/src/spec/error.ts";
import {
  type FromWorker,
  packTasks,
  type RunTimes,
  type Task,
  type TaskResult,
  unpackResults,
  type WorkerStart,
} from "./message.ts";

/** In a bundle the worker is the file beside this one. */
const workerUrl = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** Why a worker could not start: `E_DIGEST` for bytes that are not those of the manifest. */
export type Refusal = { code: ErrorCode; message: string };

export type LaneEvents = {
  onReady(lane: Lane): void;
  onDone(lane: Lane, results: TaskResult[], times: RunTimes): void;
  /** The worker ended, once: by itself (`lost`), because it hung, or because it refused to start. */
  onEnd(lane: Lane, why: "lost" | "hung" | Refusal): void;
};

/** One worker thread and whether it is busy. Once ended it is never used again. */
export class Lane {
  readonly #worker: Worker;
  readonly #events: LaneEvents;
  state: "starting" | "idle" | "busy" | "ended" = "starting";

  constructor(start: WorkerStart, events: LaneEvents) {
    this.#events = events;
    this.#worker = new Worker(workerUrl, { workerData: start });
    this.#worker.on("message", (message: FromWorker) => this.#receive(message));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => this.#fail(`worker exited with ${code}`));
  }

  post(tasks: Task[]): void {
    this.state = "busy";
    this.#worker.postMessage(packTasks(tasks));
  }

  /** Ends the worker at once, whatever it does. */
  end(why: "lost" | "hung" | Refusal): void {
    if (this.state === "ended") return;
    this.state = "ended";
    void this.#worker.terminate();
    this.#events.onEnd(this, why);
  }

  #fail(reason: unknown): void {
    const words = reason instanceof Error ? reason.message : String(reason);
    this.end(this.state === "starting" ? { code: "E_TOOL", message: `Cannot start a worker: ${words}` } : "lost");
  }

  #receive(message: FromWorker): void {
    if (this.state === "ended") return;
    if (typeof message !== "string" && message.kind === "refused") {
      this.end({ code: message.code, message: message.message });
      return;
    }
    this.state = "idle";
    if (typeof message === "string") {
      const { results, times } = unpackResults(message);
      this.#events.onDone(this, results, times);
    } else if (message.kind === "ready") {
      this.#events.onReady(this);
    } else {
      this.#events.onDone(this, message.results, message.times);
    }
  }
}
