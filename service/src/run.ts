import { rowsOf, stack, unstack } from "./batch.ts";
import type { Issue } from "./issue.ts";
import { parseText } from "./json.ts";
import { type RunTimes, type Task, type TaskResult, type ToWorker, unpackTasks } from "./message.ts";
import { Problem } from "./problem.ts";
import type { Session } from "./session.ts";
import type { Tensors } from "./tensor.ts";
import type { Transformer } from "./transformer.ts";

/** One task on its way: encoded, or already answered because it could not be. */
type Step = { value: unknown; inputs: Tensors } | { result: TaskResult };

/** Answers a batch: encode each, run them stacked where that is possible, decode each. Never throws for one bad task. */
export async function runBatch(
  { session, transformer }: { session: Session; transformer: Transformer },
  message: ToWorker,
): Promise<{ results: TaskResult[]; times: RunTimes }> {
  const start = performance.now();
  const batch = typeof message === "string" ? unpackTasks(message) : message;
  const steps: Step[] = [];
  for (const task of batch) steps.push(await encode(transformer, task));
  const encoded = performance.now();
  const outputs = await runSteps(session, steps);
  const ran = performance.now();
  const results = batch.map((task, i) => finish(transformer, task, steps[i], outputs[i]));
  const times = { encodeMs: encoded - start, runMs: ran - encoded, decodeMs: performance.now() - ran };
  return { results, times: { ...times, items: batch.length } };
}

async function encode(transformer: Transformer, { input }: Task): Promise<Step> {
  try {
    if (input.kind === "tensors") return { value: undefined, inputs: input.tensors };
    if (input.kind === "bytes") {
      const value = transformer.fromBytes?.(input.bytes);
      return { value, inputs: await transformer.encode(value) };
    }
    const request = transformer.request.safeParse(parseText(input.text));
    if (!request.success) return { result: { ok: false, kind: "invalid", issues: request.error.issues.map(plain) } };
    return { value: request.data, inputs: await transformer.encode(request.data) };
  } catch (error) {
    if (error instanceof Problem) return { result: refused(error) };
    const issues = input.kind === "bytes" ? issuesOf(error) : undefined;
    return { result: issues === undefined ? failed(error) : { ok: false, kind: "invalid", issues: issues.map(plain) } };
  }
}

/** An issue without what cannot go between threads. */
function plain({ code = "custom", message, path, keys = [], origin = "", format = "" }: Issue): Issue {
  return { code, message, path, keys, origin, format };
}

/** The outputs of each step; an Error where the model failed on it. */
async function runSteps(session: Session, steps: readonly Step[]): Promise<(Tensors | Error | undefined)[]> {
  const live = steps.flatMap((step) => ("inputs" in step ? [step.inputs] : []));
  const together = live.length > 1 ? await runStacked(session, live) : undefined;
  const outputs: (Tensors | Error | undefined)[] = [];
  let next = 0;
  for (const step of steps) {
    if (!("inputs" in step)) outputs.push(undefined);
    else outputs.push(together?.[next++] ?? (await runOne(session, step.inputs)));
  }
  return outputs;
}

/** Undefined when the items cannot share a run, or the shared run failed: then each runs alone and answers for itself. */
async function runStacked(session: Session, items: readonly Tensors[]): Promise<Tensors[] | undefined> {
  const rows = items.map(rowsOf);
  const known = rows.filter((count) => count !== undefined);
  const inputs = stack(items);
  if (inputs === undefined || known.length !== items.length) return undefined;
  const outputs = await runOne(session, inputs);
  return outputs instanceof Error ? undefined : unstack(outputs, known);
}

async function runOne(session: Session, inputs: Tensors): Promise<Tensors | Error> {
  try {
    return await session.run(inputs);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function finish(transformer: Transformer, task: Task, step?: Step, outputs?: Tensors | Error): TaskResult {
  if (step !== undefined && "result" in step) return step.result;
  if (step === undefined || outputs === undefined || outputs instanceof Error) return failed(outputs);
  if (task.input.kind === "tensors") return { ok: true, json: "null", outputs };
  try {
    const response = transformer.response.safeParse(transformer.decode(outputs, step.value));
    if (!response.success) return failed(new Error(`response is invalid: ${describe(response.error.issues)}`));
    const json = JSON.stringify(response.data);
    return task.wantOutputs ? { ok: true, json, outputs } : { ok: true, json };
  } catch (error) {
    return failed(error);
  }
}

function refused({ code, message, faults }: Problem): TaskResult {
  return { ok: false, kind: "refused", code, message, faults };
}

function failed(error: unknown): TaskResult {
  return { ok: false, kind: "failed", message: error instanceof Error ? error.message : String(error) };
}

/** The issues of a ZodError of any zod; undefined for another error. */
function issuesOf(error: unknown): Issue[] | undefined {
  if (!(error instanceof Error) || !("issues" in error) || !Array.isArray(error.issues)) return undefined;
  return error.issues;
}

function describe(issues: readonly Issue[]): string {
  return issues
    .slice(0, 3)
    .map((issue) => `${issue.path.map(String).join(".")}: ${issue.message}`)
    .join("; ");
}
