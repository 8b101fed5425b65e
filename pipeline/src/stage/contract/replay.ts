import { z } from "zod";
import { agreeCase } from "../../release/agree.ts";
import type { GoldenCase } from "../../spec/golden.ts";
import { ask, Breach, type Context, expect, jsonOf, type Probe } from "./context.ts";
import { predictOperation } from "./described.ts";
import { at } from "./openapi.ts";

const Predicted = z.looseObject({
  model: z.looseObject({ name: z.string(), version: z.string() }),
  output: z.json(),
});

/** The golden inputs get the golden answers through the API, as JSON and, where it is described, as raw bytes. */
export function replayProbes(context: Context): Probe[] {
  const { golden } = context;
  return golden.cases.flatMap((one) => [
    {
      name: `golden case ${one.name} as JSON`,
      run: () => replay(context, one, { type: "application/json", body: JSON.stringify(one.request) }),
    },
    ...bytesProbe(context, one),
  ]);
}

function bytesProbe(context: Context, one: GoldenCase): Probe[] {
  const key = bytesKey(context);
  if (key === undefined || typeof one.request !== "object" || one.request === null || Array.isArray(one.request))
    return [];
  const content = one.request[key];
  // An empty file is a good request in JSON, but an empty body is refused before anything reads it.
  if (typeof content !== "string" || content === "") return [];
  const body = new Uint8Array(Buffer.from(content, "base64"));
  return [
    {
      name: `golden case ${one.name} as bytes`,
      run: () => replay(context, one, { type: "application/octet-stream", body }),
    },
  ];
}

/** The request's only key, when raw bytes are described and that key is base64. */
function bytesKey(context: Context): string | undefined {
  const described = context.description.find("POST", context.predictPath);
  const content = described?.operation.requestBody?.content;
  if (content?.["application/octet-stream"] === undefined) return undefined;
  const schema = content["application/json"]?.schema;
  const reference = z.looseObject({ $ref: z.string() }).safeParse(schema);
  const resolved = reference.success ? at(context.description.document, reference.data.$ref) : schema;
  const shape = z.looseObject({ properties: z.record(z.string(), z.unknown()) }).safeParse(resolved);
  const keys = shape.success ? Object.keys(shape.data.properties) : [];
  return keys.length === 1 ? keys[0] : undefined;
}

async function replay(
  context: Context,
  one: GoldenCase,
  { type, body }: { type: string; body: string | Uint8Array<ArrayBuffer> },
): Promise<void> {
  const { key, manifest, predictPath, service } = context;
  predictOperation(context);
  const answer = await ask(context, {
    method: "POST",
    path: predictPath,
    key,
    headers: { "content-type": type },
    body,
  });
  expect(answer.status === 200, `status is ${answer.status}, expected 200`, answer, service);
  const predicted = Predicted.safeParse(jsonOf(answer, service));
  if (!predicted.success)
    throw new Breach(`answer has no model and output: ${predicted.error.issues[0]?.message ?? ""}`);
  const { name, version } = predicted.data.model;
  const found = `${name}@${version}`;
  const wanted = `${manifest.name}@${manifest.version}`;
  expect(found === wanted, `answer is from ${found}, expected ${wanted}`, answer, service);
  const { disagreement } = agreeCase(one, { response: predicted.data.output }, manifest.tolerance);
  expect(disagreement === undefined, disagreement ?? "", answer, service);
}
