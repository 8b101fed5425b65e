import { expect, test } from "bun:test";
import { agree, agreeCase, agreeTensors } from "../../pipeline/src/release/agree.ts";
import type { Json } from "../../pipeline/src/spec/golden.ts";

const tolerance = { absolute: 0.01, relative: 0.1 };

test.each([
  ["equal values", { a: [1, "x", null, true] }, { a: [1, "x", null, true] }],
  ["keys in another order", { a: 1, b: 2 }, { b: 2, a: 1 }],
  ["a number within the absolute tolerance", 0, 0.01],
  ["a number within the relative tolerance", 100, 110],
] satisfies [string, Json, unknown][])("agree() accepts %s", (_, expected, actual) => {
  expect(agree(expected, actual, tolerance).disagreement).toBeUndefined();
});

test.each([
  ["another text", { label: "pdf" }, { label: "html" }, 'label is "html", expected "pdf"'],
  ["a number outside the tolerance", { p: [0.5] }, { p: [0.6] }, "p[0] is 0.6, expected 0.5"],
  ["NaN", { p: 0.5 }, { p: Number.NaN }, "p is NaN, expected 0.5"],
  ["infinity", { p: 0.5 }, { p: Number.POSITIVE_INFINITY }, "p is Infinity, expected 0.5"],
  ["a missing key", { a: 1 }, {}, "a is missing, expected 1"],
  ["an extra key", {}, { a: 1 }, "a is 1, expected none"],
  ["a shorter array", [1, 2], [1], "response has 1 items, expected 2"],
  ["a number for a text", "1", 1, 'response is 1, expected "1"'],
  ["null for an object", {}, null, "response is null, expected {}"],
  ["nothing", 1, undefined, "response is missing, expected 1"],
  ["an inherited key", { toString: 1 }, {}, "toString is missing, expected 1"],
] satisfies [string, Json, unknown, string][])("agree() tells of %s", (_, expected, actual, words) => {
  expect(agree(expected, actual, tolerance).disagreement).toBe(words);
});

test("agree() finds the largest deviation", () => {
  expect(agree([1, 2, 3], [1, 2.25, 3.125], { absolute: 1, relative: 0 })).toEqual({ largestDeviation: 0.25 });
});

test.each([
  ["a missing tensor", undefined, "y is missing"],
  ["another shape", { dims: [2, 1], data: [1, 2] }, "y has shape [2,1], expected [1,2]"],
  ["too few elements", { dims: [1, 2], data: [1] }, "y has 1 elements, expected 2"],
  ["another element", { dims: [1, 2], data: [1, 3] }, "y[1] is 3, expected 2"],
  ["NaN", { dims: [1, 2], data: new Float32Array([1, Number.NaN]) }, "y[1] is NaN, expected 2"],
])("agreeTensors() tells of %s", (_, actual, words) => {
  expect(agreeTensors({ dims: [1, 2], data: [1, 2] }, actual, tolerance, "y").disagreement).toBe(words);
});

test("agreeTensors() reads bigint elements", () => {
  expect(agreeTensors({ dims: [1], data: [7] }, { dims: [1], data: new BigInt64Array([7n]) }, tolerance, "y")).toEqual({
    largestDeviation: 0,
  });
});

test("agreeCase() names the golden case, and takes each output's own tolerance", () => {
  const golden = { name: "pdf", request: null, response: { label: "pdf" }, outputs: { y: { dims: [1], data: [1] } } };
  const limits = { outputs: { y: { absolute: 0.5, relative: 0 } }, response: { absolute: 0, relative: 0 } };
  const near = { y: { dims: [1], data: [1.25] } };
  const far = { y: { dims: [1], data: [2] } };
  expect(agreeCase(golden, { outputs: near, response: { label: "pdf" } }, limits)).toEqual({ largestDeviation: 0.25 });
  expect(agreeCase(golden, { outputs: far, response: { label: "pdf" } }, limits).disagreement).toBe(
    "golden case pdf: output y[0] is 2, expected 1",
  );
  expect(agreeCase(golden, { response: { label: "html" } }, limits).disagreement).toBe(
    'golden case pdf: label is "html", expected "pdf"',
  );
});
