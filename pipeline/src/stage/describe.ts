import type { InferenceSession } from "onnxruntime-node";
import { readWhole } from "../release/steady.ts";
import { folderLimits } from "../release/walk.ts";
import { DeployError } from "../spec/error.ts";
import { Dtype, type Manifest, type TensorSpec } from "../spec/manifest.ts";

/** A model in ONNX Runtime's own words: what a manifest must say of it. */
export type ModelDescription = Pick<Manifest, "inputs" | "outputs"> & { onnxruntime: string };

/** Loads a model and tells its inputs and outputs; throws `E_FILE` when ONNX Runtime cannot, or knows a type that Sluice does not. */
export async function describeModel(path: string): Promise<ModelDescription> {
  const bytes = await readWhole(path, folderLimits.bytes);
  // Loaded only here: 40 MB of native code that no other command needs.
  const { env, InferenceSession: Session } = await import("onnxruntime-node");
  try {
    const session = await Session.create(bytes, { logSeverityLevel: 3 });
    return {
      inputs: session.inputMetadata.map(describeTensor),
      outputs: session.outputMetadata.map(describeTensor),
      onnxruntime: env.versions.node ?? "unknown",
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeployError("E_FILE", `Cannot load ${path}: ONNX Runtime says ${reason}`, { cause });
  }
}

/** A tensor as ONNX Runtime tells of it; throws an Error for what a manifest has no words for. */
export function describeTensor(metadata: InferenceSession.ValueMetadata): TensorSpec {
  if (!metadata.isTensor) throw new Error(`${metadata.name} is no tensor`);
  const shape = metadata.shape.map((size) => (typeof size === "number" && size > 0 ? size : String(size) || "free"));
  return { name: metadata.name, dtype: Dtype.parse(metadata.type), shape };
}
