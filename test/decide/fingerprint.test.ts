import { expect, test } from "bun:test";
import { compareFingerprints, sayFingerprint } from "../../pipeline/src/decide/fingerprint.ts";

const admitted = { cpu: "a", onnxruntime: "1.30.0", runtime: "bun 1.4.5", largestDeviation: 2.97e-8 };

test("compareFingerprints() says where another machine computes otherwise, and nothing of the same", () => {
  expect(compareFingerprints(admitted, { ...admitted })).toEqual([]);
  const here = { cpu: "b", onnxruntime: "1.31.0", runtime: "node 22", largestDeviation: 1.1e-2 };
  expect(compareFingerprints(admitted, here)).toEqual([
    "processor is b, was a",
    "ONNX Runtime is 1.31.0, was 1.30.0",
    "runtime is node 22, was bun 1.4.5",
    "largest deviation is 1.1e-2, was 3.0e-8",
  ]);
  expect(compareFingerprints(admitted, { ...admitted, largestDeviation: null })).toEqual([
    "largest deviation is not finite, was 3.0e-8",
  ]);
});

test("sayFingerprint() says no deviation as 0", () => {
  expect(sayFingerprint({ ...admitted, largestDeviation: 0 })).toBe(
    "largest deviation 0 on a, ONNX Runtime 1.30.0, bun 1.4.5",
  );
});
