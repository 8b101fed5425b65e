import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Manifest, TensorSpec } from "../../pipeline/src/spec/manifest.ts";
import { arrayOf, countOf, type Tensor, type Tensors } from "./tensor.ts";

/** An ONNX Runtime session over our plain tensors. `run` blocks the thread that calls it. */
export type Session = { run(inputs: Tensors): Promise<Tensors> };

/** Makes a session of exactly `bytes`, with the options that the manifest was proven with. */
export async function createSession(bytes: Uint8Array, manifest: Manifest): Promise<Session> {
  const session = await InferenceSession.create(bytes, { ...manifest.runtime.session, logSeverityLevel: 3 });
  return {
    async run(inputs) {
      const feeds: Record<string, OrtTensor> = {};
      for (const spec of manifest.inputs) feeds[spec.name] = toOrt(spec, inputs[spec.name]);
      const outputs = await session.run(feeds);
      const tensors: Tensors = {};
      for (const spec of manifest.outputs) {
        const output = outputs[spec.name];
        if (output !== undefined) tensors[spec.name] = fromOrt(spec, output);
      }
      return tensors;
    },
  };
}

function toOrt(spec: TensorSpec, tensor: Tensor | undefined): OrtTensor {
  if (tensor === undefined) throw new Error(`Cannot run the model: input ${spec.name} is missing`);
  const { dtype, dims, data } = tensor;
  if (dtype !== spec.dtype) {
    throw new Error(`Cannot run the model: input ${spec.name} is ${dtype}, expected ${spec.dtype}`);
  }
  if (data.length !== countOf(dims)) {
    throw new Error(`Cannot run the model: input ${spec.name} has ${data.length} elements, its shape ${countOf(dims)}`);
  }
  return new OrtTensor(dtype, data, dims);
}

function fromOrt(spec: TensorSpec, tensor: OrtTensor): Tensor {
  const { data, dims } = tensor;
  const ArrayType = arrayOf[spec.dtype];
  if (ArrayType === null && Array.isArray(data)) return { dtype: spec.dtype, dims, data };
  if (ArrayType !== null && data instanceof ArrayType) return { dtype: spec.dtype, dims, data };
  throw new Error(`Cannot read output ${spec.name}: it is ${tensor.type}, the manifest says ${spec.dtype}`);
}
