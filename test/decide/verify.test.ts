import { expect, test } from "bun:test";
import { judgeVerify } from "../../pipeline/src/decide/verify.ts";
import { explain } from "../../pipeline/src/spec/verdict.ts";
import type { Replayed, VerifyFacts } from "../../pipeline/src/spec/verify.ts";
import { aManifest } from "../release/folder-fixture.ts";

const manifest = aManifest();
const x = { name: "x", dtype: "float32", shape: ["batch", 4] } as const;
const y = { name: "y", dtype: "float32", shape: ["batch", 3] } as const;

function replayed(change: Partial<Replayed> = {}): VerifyFacts {
  const replay: Replayed = {
    kind: "replayed",
    onnxruntime: "1.30.0",
    runtime: "bun 1.4.5",
    inputs: [{ ...x, shape: ["free", 4] }],
    outputs: [{ ...y, shape: ["batch", 3] }],
    cases: 2,
    largestDeviation: 2.14e-7,
    disagreements: [],
    ...change,
  };
  return { files: 4, bytes: 100, cpu: "any", differences: [], replay };
}

test("judgeVerify() passes what agrees, whatever a free dimension is called", () => {
  const { verdict, figure, checks } = judgeVerify(replayed(), manifest);
  expect(verdict).toEqual({ kind: "pass" });
  expect(figure).toBe("4 files, 2 golden cases, largest deviation 2.1e-7");
  expect(checks.map(({ name }) => name)).toEqual(["files", "manifest", "golden"]);
});

test.each([
  ["another ONNX Runtime", { onnxruntime: "1.0.0" }, "ONNX Runtime is 1.0.0, manifest was proven with 1.30.0"],
  [
    "another dtype",
    { inputs: [{ ...x, shape: ["batch", 4], dtype: "int64" }] },
    "input x is int64[free,4] in the model",
  ],
  [
    "another size",
    { inputs: [{ ...x, shape: ["batch", 5] }] },
    "is float32[free,5] in the model, manifest says float32[free,4]",
  ],
  ["a fixed size for a free one", { outputs: [{ ...y, shape: [1, 3] }] }, "output y is float32[1,3] in the model"],
  ["another rank", { inputs: [{ ...x, shape: [4] }] }, "is float32[4] in the model"],
  ["an input too few", { inputs: [] }, "input x is missing in the model, manifest says float32[free,4]"],
  [
    "an output too many",
    {
      outputs: [
        { ...y, shape: ["n", 3] },
        { ...y, name: "z", shape: [1] },
      ],
    },
    "output z is float32[1] in the model, manifest does not list it",
  ],
  [
    "a disagreement",
    { disagreements: ["golden case a: label is 1, expected 2"] },
    "golden case a: label is 1, expected 2",
  ],
  ["a number that is not finite", { largestDeviation: null }, "not finite"],
] satisfies [string, Partial<Replayed>, string][])("judgeVerify() fails on %s", (_, change, words) => {
  const { verdict } = judgeVerify(replayed(change), manifest);
  expect(verdict.kind).toBe("fail");
  expect(explain(verdict)).toContain(words);
});

test.each([
  ["no replay", { files: 4, bytes: 100, cpu: "any", differences: [] }, "error"],
  ["a lost replay", { ...replayed(), replay: { kind: "lost", reason: "gone" } }, "error"],
  ["no golden case", replayed({ cases: 0 }), "error"],
  ["a refused release", { ...replayed(), replay: { kind: "refused", reason: "cannot load" } }, "fail"],
  ["a difference", { ...replayed(), differences: ["model.onnx: changed"] }, "fail"],
] satisfies [string, VerifyFacts, string][])("judgeVerify() never passes %s", (_, facts, kind) => {
  const judgement = judgeVerify(facts, manifest);
  expect<string>(judgement.verdict.kind).toBe(kind);
  expect(explain(judgement.verdict)).not.toBe("");
});
