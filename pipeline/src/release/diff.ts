import type { Golden } from "../spec/golden.ts";
import type { Manifest, TensorSpec } from "../spec/manifest.ts";
import { agree } from "./agree.ts";
import { canonical } from "./statement.ts";

/** A model version: its manifest, and its golden cases. */
export type Version = { manifest: Manifest; golden: Golden };

/** One difference in words, under what it is about. */
export type Difference = { about: "file" | "tensor" | "runtime" | "manifest" | "golden"; words: string };

/** Says in words what is different in `to` from `from`; empty when nothing is. */
export function diffModels(from: Version, to: Version): Difference[] {
  return [
    ...diffFiles(from.manifest, to.manifest),
    ...diffTensors("input", from.manifest.inputs, to.manifest.inputs),
    ...diffTensors("output", from.manifest.outputs, to.manifest.outputs),
    ...diffFacts(from.manifest, to.manifest),
    ...diffGolden(from.golden, to),
  ];
}

function diffFiles(from: Manifest, to: Manifest): Difference[] {
  const before = new Map(from.files.map((file) => [file.path, file]));
  const differences: Difference[] = [];
  const note = (words: string) => differences.push({ about: "file", words });
  for (const { path, size, digest } of to.files) {
    const old = before.get(path);
    before.delete(path);
    if (old === undefined) note(`${path} is new, ${size} bytes`);
    else if (old.digest !== digest) note(`${path} changed, ${saySizes(old.size, size)}`);
  }
  for (const { path, size } of before.values()) note(`${path} is gone, it had ${size} bytes`);
  return differences;
}

function saySizes(from: number, to: number): string {
  const change = to - from;
  return change === 0 ? `${to} bytes as before` : `${to} bytes, ${change > 0 ? "+" : ""}${change}`;
}

function diffTensors(kind: string, from: readonly TensorSpec[], to: readonly TensorSpec[]): Difference[] {
  const before = new Map(from.map((tensor) => [tensor.name, say(tensor)]));
  const differences: Difference[] = [];
  const note = (words: string) => differences.push({ about: "tensor", words });
  for (const tensor of to) {
    const old = before.get(tensor.name);
    before.delete(tensor.name);
    if (old === undefined) note(`${kind} ${tensor.name} is new: ${say(tensor)}`);
    else if (old !== say(tensor)) note(`${kind} ${tensor.name} is ${say(tensor)}, was ${old}`);
  }
  for (const [name, old] of before) note(`${kind} ${name} is gone, was ${old}`);
  return differences;
}

function say({ dtype, shape }: TensorSpec): string {
  return `${dtype}[${shape.map((size) => (typeof size === "number" ? size : "free")).join(", ")}]`;
}

function diffFacts(from: Manifest, to: Manifest): Difference[] {
  const differences: Difference[] = [];
  const compare = (about: Difference["about"], what: string, before: unknown, after: unknown) => {
    if (canonical(before) === canonical(after)) return;
    differences.push({ about, words: `${what} is ${canonical(after)}, was ${canonical(before)}` });
  };
  compare("runtime", "ONNX Runtime", from.runtime.onnxruntime, to.runtime.onnxruntime);
  compare("runtime", "session", from.runtime.session, to.runtime.session);
  compare("runtime", "batch", from.batch, to.batch);
  compare("manifest", "tolerance", from.tolerance, to.tolerance);
  compare("manifest", "license", from.license, to.license);
  compare("manifest", "description", from.description, to.description);
  return differences;
}

/** Cases are the same where their requests are; what their names are does not matter. */
function diffGolden(from: Golden, { golden: to, manifest }: Version): Difference[] {
  const before = new Map(from.cases.map((golden) => [canonical(golden.request), golden]));
  const differences: Difference[] = [];
  const note = (words: string) => differences.push({ about: "golden", words });
  for (const { name, request, response } of to.cases) {
    const key = canonical(request);
    const old = before.get(key);
    before.delete(key);
    if (old === undefined) note(`case ${name} is new`);
    else {
      const { disagreement } = agree(old.response, response, manifest.tolerance.response);
      if (disagreement !== undefined) note(`case ${name}: ${disagreement.replace(/, expected /, ", was ")}`);
    }
  }
  for (const { name } of before.values()) note(`case ${name} is gone`);
  return differences;
}
