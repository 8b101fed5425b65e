import type { Consumer } from "../spec/consumers.ts";
import type { Manifest, TensorSpec } from "../spec/manifest.ts";
import type { Verdict } from "../spec/verdict.ts";

/** A difference that breaks clients. `operation` is as in `POST /v1/models/magika/predict`; empty when it concerns all. */
export interface Change {
  operation: string;
  text: string;
}

/** Whether a breaking change may be let in: never, or with a new major version of the model. */
export type BreakingRule = "refuse" | "major";

/**
 * Judges the changes from stable to the candidate. A breaking change fails, naming the consumers that rely on the
 * operation, unless the rule allows it and the candidate's major version is larger than stable's.
 */
export function judgeChanges(
  changes: readonly Change[],
  versions: { stable: string; candidate: string },
  { rule, consumers }: { rule: BreakingRule; consumers: readonly Consumer[] },
): Verdict {
  const [first] = changes;
  if (first === undefined) return { kind: "pass" };
  if (rule === "major" && majorOf(versions.candidate) > majorOf(versions.stable)) return { kind: "pass" };
  return { kind: "fail", breaches: changes.map((change) => describe(change, consumers)) };
}

/** What breaks those who speak tensors: an input or output that is gone, new and required, or of another type or shape. */
export function manifestChanges(stable: Manifest, candidate: Manifest): Change[] {
  return [
    ...tensorChanges("input", stable.inputs, candidate.inputs),
    ...candidate.inputs
      .filter(({ name }) => !stable.inputs.some((input) => input.name === name))
      .map(({ name }) => ({ operation: "", text: `input ${name} is new: clients of stable do not send it` })),
    ...tensorChanges("output", stable.outputs, candidate.outputs),
  ];
}

function tensorChanges(kind: string, stable: readonly TensorSpec[], candidate: readonly TensorSpec[]): Change[] {
  return stable.flatMap((before) => {
    const after = candidate.find(({ name }) => name === before.name);
    if (after === undefined) return [{ operation: "", text: `${kind} ${before.name} is gone` }];
    const [was, is] = [signature(before), signature(after)];
    return was === is ? [] : [{ operation: "", text: `${kind} ${before.name} is ${is}, stable's is ${was}` }];
  });
}

/** The names of free dimensions mean nothing to a client. */
function signature({ dtype, shape }: TensorSpec): string {
  return `${dtype}[${shape.map((size) => (typeof size === "number" ? size : "?")).join(",")}]`;
}

function describe({ operation, text }: Change, consumers: readonly Consumer[]): string {
  const relying = consumers.filter(({ operations }) => operation === "" || operations.includes(operation));
  const names = relying.map(({ name, owner }) => `${name} (${owner})`).join(", ");
  const head = operation === "" ? text : `${operation}: ${text}`;
  return names === "" ? head : `${head}; relied on by ${names}`;
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
