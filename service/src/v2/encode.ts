import type { Model } from "../model.ts";
import { Problem } from "../problem.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { toBinary } from "./binary.ts";
import { datatypeOf } from "./names.ts";
import type { InferRequest } from "./schema.ts";

/** Which outputs to give, and which of them as bytes. Throws a `Problem` for an output that the model lacks. */
export function wantedOutputs(request: InferRequest, model: Model): { name: string; binary: boolean }[] {
  const names = model.manifest.outputs.map(({ name }) => name);
  const byDefault = request.parameters?.binary_data_output ?? false;
  if (request.outputs === undefined || request.outputs.length === 0)
    return names.map((name) => ({ name, binary: byDefault }));
  if (request.outputs.length > names.length) {
    const faults = [{ pointer: "/outputs", expected: `at most ${names.length} outputs` }];
    throw new Problem("length-wrong", "Cannot use the request: it asks for more outputs than there are", { faults });
  }
  return request.outputs.map(({ name, parameters }, i) => {
    if (names.includes(name)) return { name, binary: parameters?.binary_data ?? byDefault };
    const faults = [{ pointer: `/outputs/${i}/name`, expected: `one of ${names.join(", ")}` }];
    throw new Problem("value-invalid", `Cannot use the request: ${model.name} has no such output`, { faults });
  });
}

/** The answer: JSON, followed by the bytes of the outputs that were asked for as bytes. */
export function encodeOutputs(
  { name, version }: Model,
  { id }: InferRequest,
  wanted: { name: string; binary: boolean }[],
  tensors: Tensors,
): Response {
  const parts: Uint8Array[] = [];
  const outputs = wanted.map((output) => {
    const tensor = tensors[output.name];
    if (tensor === undefined) throw new Error(`Cannot answer: the run gave no output ${output.name}`);
    const head = `"name":${JSON.stringify(output.name)},"datatype":"${datatypeOf[tensor.dtype]}","shape":[${tensor.dims.join()}]`;
    if (!output.binary) return `{${head},"data":${toJson(output.name, tensor)}}`;
    const part = toBinary(tensor.data);
    parts.push(part);
    return `{${head},"parameters":{"binary_data_size":${part.byteLength}}}`;
  });
  const idPart = id === undefined ? "" : `"id":${JSON.stringify(id)},`;
  const json = `{"model_name":"${name}","model_version":"${version}",${idPart}"outputs":[${outputs.join()}]}`;
  if (parts.length === 0) return new Response(json, { headers: { "content-type": "application/json" } });
  const header = new TextEncoder().encode(json);
  const headers = {
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(header.byteLength),
  };
  return new Response(Buffer.concat([header, ...parts]), { headers });
}

/** Whole numbers are written with every digit, also beyond what a double holds. */
function toJson(name: string, { dtype, data }: Tensor): string {
  if (Array.isArray(data)) return JSON.stringify(data);
  if (dtype === "bool") return JSON.stringify(Array.from(data, Boolean));
  if ((dtype === "float32" || dtype === "float64") && !Array.from(data, Number).every(Number.isFinite)) {
    const cause = new Error(`output ${name} is not finite`);
    throw new Problem("inference-failed", "The answer has a number that JSON cannot carry; ask for binary data", {
      cause,
    });
  }
  return `[${data.join()}]`;
}
