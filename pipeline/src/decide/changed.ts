import type { Json } from "../spec/golden.ts";

/** Vectors whose cosine is below this point to something else. */
const leastCosine = 0.99;

/**
 * Whether an answer says something else than the other: any label (text or truth value) that differs. Numbers are scores
 * beside a label and may move with each version; only answers without any label are compared as vectors.
 */
export function isChanged(before: Json, after: Json): boolean {
  const [labels, others] = [labelsOf(before), labelsOf(after)];
  if (labels.length > 0 || others.length > 0) return labels.join("\n") !== others.join("\n");
  const [a, b] = [numbersOf(before), numbersOf(after)];
  // Written so that NaN is a change.
  return a.length !== b.length || !(cosine(a, b) >= leastCosine);
}

/** Every text and truth value with its path, in the order of the paths. */
function labelsOf(value: Json, path = ""): string[] {
  if (typeof value === "string" || typeof value === "boolean") return [`${path} ${JSON.stringify(value)}`];
  return childrenOf(value).flatMap(([key, child]) => labelsOf(child, `${path}/${key}`));
}

function numbersOf(value: Json): number[] {
  if (typeof value === "number") return [value];
  return childrenOf(value).flatMap(([, child]) => numbersOf(child));
}

function childrenOf(value: Json): [string, Json][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
