import { afterAll, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPolicies } from "../../../pipeline/src/release/policies.ts";
import { countOf, transformerSource } from "../../../pipeline/src/stage/init/transformer.ts";
import { verify } from "../../../pipeline/src/stage/verify.ts";
import { root, sluice } from "../../support/cli.ts";

const source = await mkdtemp(join(tmpdir(), "sluice-test-init-"));
afterAll(() => rm(source, { recursive: true, force: true }));
const model = join(root, "test/fixtures/models/tabular/1.0.0/model.onnx");

test("sluice init lays down a repository that verifies as it is, with policies about its model", async () => {
  const { exit, stderr } = await sluice(source, "init", model, "--name", "churn", "--license", "MIT");
  expect(stderr).toBe("");
  expect(exit).toBe(0);
  const { report } = await verify(join(source, "models/churn/1.0.0"));
  expect(report.verdict).toEqual({ kind: "pass" });
  const { environment, slo } = await readPolicies(join(source, "policies"), "local");
  expect(environment.release).toBe("churn@1.0.0");
  expect(slo.maxErrorRate).toBeGreaterThan(0);
  for (const path of await readdir(join(source, "policies"), { recursive: true })) {
    if (path.endsWith(".yaml")) expect(await readFile(join(source, "policies", path), "utf8")).not.toContain("magika");
  }
}, 60_000);

test("sluice init touches nothing that is there", async () => {
  const { exit, stderr } = await sluice(source, "init", model, "--name", "churn");
  expect(exit).toBe(2);
  expect(stderr).toContain("it exists");
}, 60_000);

test("sluice init leaves nothing behind when the file is no model", async () => {
  const { exit } = await sluice(source, "init", join(root, "LICENSE"), "--name", "text");
  expect(exit).toBe(2);
  expect(await readdir(join(source, "models"))).toEqual(["churn"]);
}, 60_000);

test("transformerSource() writes the types of the tensors", () => {
  const text = transformerSource(
    [
      { name: "input ids", dtype: "int64", shape: ["batch", 8] },
      { name: "flags", dtype: "bool", shape: [1, 2] },
    ],
    [{ name: "words", dtype: "string", shape: ["batch", 1] }],
  );
  expect(text).toContain('"input ids": z.array(z.int()).length(8)');
  expect(text).toContain('BigInt64Array.from(value["input ids"], BigInt)');
  expect(text).toContain("flags: z.array(z.boolean()).length(2)");
  expect(text).toContain("words: z.array(z.string())");
});

test("countOf() refuses a size that only the caller can know", () => {
  expect(() => countOf({ name: "ids", dtype: "int64", shape: ["batch", "tokens"] })).toThrow(
    "size tokens of input ids is free",
  );
});
