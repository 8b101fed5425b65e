import type { ErrorCode } from "../../pipeline/src/spec/error.ts";
import type { Manifest, ManifestFile } from "../../pipeline/src/spec/manifest.ts";
import type { Issue } from "./issue.ts";
import type { Tensors } from "./tensor.ts";

/** What a worker is started with. `model` is the manifest's entry of the model file: the worker proves the bytes it loads. */
export type WorkerStart = { dir: string; manifest: Manifest; model: ManifestFile };

/** What one request brings: a parsed value, raw bytes for `fromBytes`, or tensors that need no transformer. */
export type Input =
  | { kind: "value"; value: unknown }
  | { kind: "bytes"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "tensors"; tensors: Tensors };

/** One request as a worker sees it. `wantOutputs` asks for the raw outputs beside the response. */
export type Task = { input: Input; wantOutputs: boolean };

/** The answer to one task, in the order of the tasks. `json` is the validated response, already serialised. */
export type TaskResult =
  | { ok: true; json: string; outputs?: Tensors }
  | { ok: false; kind: "invalid"; issues: Issue[] }
  | { ok: false; kind: "failed"; message: string };

/** Where the time of one run went, in milliseconds. `items` is the size of the batch. */
export type RunTimes = { encodeMs: number; runMs: number; decodeMs: number; items: number };

export type ToWorker = Task[];
export type FromWorker =
  | { kind: "ready" }
  | { kind: "refused"; code: ErrorCode; message: string }
  | { kind: "done"; results: TaskResult[]; times: RunTimes };
