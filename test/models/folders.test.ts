import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { agreeCase } from "../../pipeline/src/release/agree.ts";
import type { GoldenCase } from "../../pipeline/src/spec/golden.ts";
import type { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { openModel, type Prediction, predict } from "./replay.ts";

const root = join(import.meta.dir, "../..");

const folders = ["models/magika/3.2.0", "models/magika/3.3.0", "test/fixtures/models/tabular/1.0.0"];
const models = await Promise.all(folders.map(async (dir) => [dir, await openModel(join(root, dir))] as const));

describe.each(models)("%s", (dir, model) => {
  const { manifest, golden, transformer, session } = model;
  afterAll(() => session.release());

  test("manifest names its folder", () => {
    expect(dir).toEndWith(`/${manifest.name}/${manifest.version}`);
  });

  test("manifest says of inputs and outputs what ONNX Runtime says", () => {
    expect(session.inputMetadata.map(describeTensor)).toEqual(manifest.inputs);
    expect(session.outputMetadata.map(describeTensor)).toEqual(manifest.outputs);
  });

  test.each(golden.cases.map((one) => [one.name, one] as const))("answers %s as the reference", async (_, one) => {
    const [prediction] = await predict(model, [one.request]);
    expectAgreement(one, prediction, manifest);
  });

  if (manifest.batch.safe) {
    test(`answers the same in one batch of up to ${manifest.batch.maxSize}`, async () => {
      const cases = golden.cases.slice(0, manifest.batch.maxSize);
      const predictions = await predict(
        model,
        cases.map((one) => one.request),
      );
      for (const [index, one] of cases.entries()) expectAgreement(one, predictions[index], manifest);
    });
  }

  test("request and response refuse unknown and missing keys", () => {
    for (const { request, response } of golden.cases) {
      for (const [schema, value] of [
        [transformer.request, z.record(z.string(), z.unknown()).parse(request)],
        [transformer.response, z.record(z.string(), z.unknown()).parse(response)],
      ] as const) {
        expect(schema.safeParse(value).success).toBe(true);
        expect(schema.safeParse({ ...value, extra: 1 }).success).toBe(false);
        expect(schema.safeParse(Object.fromEntries(Object.entries(value).slice(1))).success).toBe(false);
      }
    }
  });

  test("request and response become strict JSON schemas", () => {
    for (const schema of [transformer.request, transformer.response]) {
      expect(z.toJSONSchema(schema, { io: "input" })).toMatchObject({ type: "object", additionalProperties: false });
    }
  });
});

function expectAgreement(one: GoldenCase, prediction: Prediction | undefined, { tolerance }: Manifest) {
  expect(agreeCase(one, prediction ?? { response: undefined }, tolerance).disagreement).toBeUndefined();
}

function describeTensor(value: {
  name: string;
  isTensor: boolean;
  type?: string;
  shape?: readonly (number | string)[];
}) {
  return { name: value.name, dtype: value.type, shape: value.shape };
}
