import type { ErrorCode } from "../../pipeline/src/spec/error.ts";
import type { Manifest, ManifestFile } from "../../pipeline/src/spec/manifest.ts";
import type { Issue } from "./issue.ts";
import type { Fault, ProblemCode } from "./problem.ts";
import type { Tensors } from "./tensor.ts";

/** What a worker is started with. `model` is the manifest's entry of the model file: the worker proves the bytes it loads. */
export type WorkerStart = { dir: string; manifest: Manifest; model: ManifestFile };

/** What one request brings: text that should be JSON, raw bytes for `fromBytes`, or tensors that need no transformer. */
export type Input =
  | { kind: "json"; text: string }
  | { kind: "bytes"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "tensors"; tensors: Tensors };

/** One request. `wantOutputs` asks for the raw outputs beside the response. */
export type Task = { input: Input; wantOutputs: boolean };

/** The answer to one task, in the order of the tasks. `json` is the validated response, already serialised. */
export type TaskResult =
  | { ok: true; json: string; outputs?: Tensors }
  | { ok: false; kind: "refused"; code: ProblemCode; message: string; faults: Fault[] | undefined }
  | { ok: false; kind: "invalid"; issues: Issue[] }
  | { ok: false; kind: "failed"; message: string };

/** Where the time of one run went, in milliseconds. `items` is the size of the batch. */
export type RunTimes = { encodeMs: number; runMs: number; decodeMs: number; items: number };

/** Text between threads is several times cheaper than objects: requests that are JSON go as one sequence. */
export type ToWorker = string | Task[];
export type FromWorker =
  | string
  | { kind: "ready" }
  | { kind: "refused"; code: ErrorCode; message: string }
  | { kind: "done"; results: TaskResult[]; times: RunTimes };

/** Starts each text of a sequence, as RFC 7464 has it: JSON never has this character, neither in nor around strings. */
const separator = "\x1e";

/** The message for a batch. Text with a separator of its own goes as an object: it is for the worker to refuse. */
export function packTasks(tasks: Task[]): ToWorker {
  let text = "";
  for (const { input, wantOutputs } of tasks) {
    if (input.kind !== "json" || wantOutputs || input.text.includes(separator)) return tasks;
    text += separator + input.text;
  }
  return text;
}

/** Undoes `packTasks` for text. */
export function unpackTasks(text: string): Task[] {
  const texts = text.slice(separator.length).split(separator);
  return texts.map((one) => ({ input: { kind: "json", text: one }, wantOutputs: false }));
}

/** The answer to a batch: its times and one line for each response, when all went well. JSON text has no line breaks. */
export function packResults(results: TaskResult[], times: RunTimes): FromWorker {
  let text = `${times.encodeMs} ${times.runMs} ${times.decodeMs} ${times.items}`;
  for (const result of results) {
    if (!result.ok || result.outputs !== undefined) return { kind: "done", results, times };
    text += `\n${result.json}`;
  }
  return text;
}

/** Undoes `packResults` for text. */
export function unpackResults(text: string): { results: TaskResult[]; times: RunTimes } {
  const [head = "", ...lines] = text.split("\n");
  const [encodeMs = 0, runMs = 0, decodeMs = 0, items = 1] = head.split(" ").map(Number);
  return { results: lines.map((json) => ({ ok: true, json })), times: { encodeMs, runMs, decodeMs, items } };
}
