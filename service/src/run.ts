import { rowsOf, stack, unstack } from "./batch.ts";
import type { Issue } from "./issue.ts";
import type { RunTimes, Task, TaskResult } from "./message.ts";
import type { Session } from "./session.ts";
import type { Tensors } from "./tensor.ts";
import type { Transformer } from "./transformer.ts";

/** One task on its way: encoded, or already answered because it could not be. */
type Step = { value: unknown; inputs: Tensors } | { result: TaskResult };

/** Answers tasks: encode each, run them stacked where that is possible, decode each. Never throws for one bad task. */
export async function runTasks(
  { session, transformer }: { session: Session; transformer: Transformer },
  tasks: readonly Task[],
): Promise<{ results: TaskResult[]; times: RunTimes }> {
  const start = performance.now();
  const steps: Step[] = [];
  for (const task of tasks) steps.push(await encode(transformer, task));
  const encoded = performance.now();
  const outputs = await runSteps(session, steps);
  const ran = performance.now();
  const results = tasks.map((task, i) => finish(transformer, task, steps[i], outputs[i]));
  const times = { encodeMs: encoded - start, runMs: ran - encoded, decodeMs: performance.now() - ran };
  return { results, times: { ...times, items: tasks.length } };
}

async function encode(transformer: Transformer, { input }: Task): Promise<Step> {
  try {
    if (input.kind === "tensors") return { value: undefined, inputs: input.tensors };
    const value = input.kind === "value" ? input.value : transformer.fromBytes?.(input.bytes);
    return { value, inputs: await transformer.encode(value) };
  } catch (error) {
    const issues = issuesOf(error);
    return {
      result: input.kind === "bytes" && issues !== undefined ? { ok: false, kind: "invalid", issues } : failed(error),
    };
  }
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
