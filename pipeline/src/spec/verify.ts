import { z } from "zod";
import { Golden } from "./golden.ts";
import { Manifest } from "./manifest.ts";
import type { Verdict } from "./verdict.ts";

/** What the golden worker is asked: the folder's path, and the two files that were proven. */
/** `dir` has the model, `codeDir` the transformer and its data. */
export const ReplayTask = z.strictObject({
  dir: z.string().min(1),
  codeDir: z.string().min(1),
  manifest: Manifest,
  golden: Golden,
});
export type ReplayTask = z.infer<typeof ReplayTask>;

const Replayed = z.strictObject({
  kind: z.literal("replayed"),
  /** ONNX Runtime's version, and the JavaScript runtime with its own. */
  onnxruntime: z.string().min(1),
  runtime: z.string().min(1),
  inputs: Manifest.shape.inputs,
  outputs: Manifest.shape.outputs,
  cases: z.int().nonnegative(),
  /** Over all golden numbers that were compared; null when one was not finite. */
  largestDeviation: z.number().nonnegative().nullable(),
  disagreements: z.array(z.string()),
});

/** What came of a golden replay: `refused` is the release's own fault, `lost` says that nothing was measured. */
export const Replay = z.discriminatedUnion("kind", [
  Replayed,
  z.strictObject({ kind: z.literal("refused"), reason: z.string().min(1) }),
  z.strictObject({ kind: z.literal("lost"), reason: z.string().min(1) }),
]);
export type Replay = z.infer<typeof Replay>;
export type Replayed = z.infer<typeof Replayed>;

/**
 * The verify stage's measurement. `differences` are between the folder and its manifest; without any, `replay` is there.
 * `signature` is there when it was asked for: what was accepted or refused, and why.
 */
export type VerifyFacts = {
  files: number;
  bytes: number;
  cpu: string;
  differences: string[];
  replay?: Replay;
  signature?: { verdict: Verdict; figure: string };
};
