import { describe, expect, test } from "bun:test";
import { judgeChanges, manifestChanges } from "../../pipeline/src/decide/compatibility.ts";
import type { Manifest, TensorSpec } from "../../pipeline/src/spec/manifest.ts";

const consumers = [
  { name: "scanner", owner: "uploads team", operations: ["POST /predict"] },
  { name: "audit", owner: "security", operations: ["GET /models"] },
];
const change = { operation: "POST /predict", text: "label is gone" };
const versions = (stable: string, candidate: string) => ({ stable, candidate });

describe("judgeChanges()", () => {
  test.each([
    ["no change", [], "refuse", versions("1.0.0", "1.0.1"), "pass"],
    ["a change, and none is let in", [change], "refuse", versions("1.0.0", "2.0.0"), "fail"],
    ["a change with a new major version", [change], "major", versions("1.9.0", "2.0.0"), "pass"],
    ["a change with a new minor version", [change], "major", versions("1.9.0", "1.10.0"), "fail"],
    ["a change with an older major version", [change], "major", versions("10.0.0", "9.0.0"), "fail"],
  ] as const)("on %s", (_, changes, rule, both, kind) => {
    expect(judgeChanges(changes, both, { rule, consumers }).kind).toBe(kind);
  });

  test("names those who rely on the operation, and all when it concerns all", () => {
    const all = { operation: "", text: "input bytes is gone" };
    expect(judgeChanges([change, all], versions("1.0.0", "1.0.1"), { rule: "refuse", consumers })).toEqual({
      kind: "fail",
      breaches: [
        "POST /predict: label is gone; relied on by scanner (uploads team)",
        "input bytes is gone; relied on by scanner (uploads team), audit (security)",
      ],
    });
  });
});

describe("manifestChanges()", () => {
  const bytes: TensorSpec = { name: "bytes", dtype: "int32", shape: ["batch", 2048] };
  const label: TensorSpec = { name: "label", dtype: "float32", shape: ["batch", 214] };
  const manifest = (inputs: TensorSpec[], outputs: TensorSpec[]): Manifest => ({
    schema: "sluice/manifest/v1",
    name: "magika",
    version: "1.0.0",
    description: "d",
    license: "Apache-2.0",
    files: [],
    model: "model.onnx",
    transformer: "transformer.ts",
    golden: "golden.json",
    inputs,
    outputs,
    runtime: {
      onnxruntime: "1.30.0",
      session: {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: "all",
      },
    },
    batch: { safe: true, maxSize: 1 },
    tolerance: { outputs: {}, response: { absolute: 0, relative: 0 } },
  });
  const stable = manifest([bytes], [label]);

  test.each([
    ["the same tensors", manifest([bytes], [label]), []],
    ["another name of the free dimension", manifest([{ ...bytes, shape: ["n", 2048] }], [label]), []],
    ["one output more", manifest([bytes], [label, { ...label, name: "extra" }]), []],
    ["an output gone", manifest([bytes], [{ ...label, name: "other" }]), ["output label is gone"]],
    [
      "an input more",
      manifest([bytes, { ...bytes, name: "mask" }], [label]),
      ["input mask is new: clients of stable do not send it"],
    ],
    [
      "another dtype",
      manifest([{ ...bytes, dtype: "uint8" }], [label]),
      ["input bytes is uint8[?,2048], stable's is int32[?,2048]"],
    ],
    [
      "another shape",
      manifest([bytes], [{ ...label, shape: ["batch", 215] }]),
      ["output label is float32[?,215], stable's is float32[?,214]"],
    ],
  ])("on %s", (_, candidate, words) => {
    expect(manifestChanges(stable, candidate).map(({ text }) => text)).toEqual(words);
  });
});
