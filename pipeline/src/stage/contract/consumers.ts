import { Ajv2020 } from "ajv/dist/2020.js";
import type { ConsumerExamples, Example } from "../../spec/consumers.ts";
import { ask, type Context, expect, jsonOf, type Probe } from "./context.ts";

/** What consumers recorded still holds: the same request gets the status and the parts of the answer that they read. */
export function consumerProbes(context: Context, files: readonly ConsumerExamples[]): Probe[] {
  return files.flatMap(({ consumer, examples }) =>
    examples.map((example) => ({
      name: `consumer ${consumer}: ${example.name}`,
      run: () => replayExample(context, example),
    })),
  );
}

async function replayExample(context: Context, { method, path, body, status, expects }: Example): Promise<void> {
  const { key, service } = context;
  const sent =
    body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await ask(context, { method, path, key, ...sent });
  expect(answer.status === status, `status is ${answer.status}, recorded was ${status}`, answer, service);
  const validate = new Ajv2020({ strict: false }).compile(expects);
  const found = validate(jsonOf(answer, service));
  const error = validate.errors?.[0];
  expect(
    found,
    `answer${error?.instancePath ?? ""} ${error?.message ?? ""}, unlike what was recorded`,
    answer,
    service,
  );
}
