import { expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readConsumers } from "../../../pipeline/src/stage/contract/recorded.ts";
import { root } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/folder.ts";

test("readConsumers() reads the shipped policy and its examples", async () => {
  const { consumers, examples } = await readConsumers(join(root, "policies"), "magika");
  expect(consumers.map((one) => one.name)).toEqual(["upload-scanner"]);
  expect(examples[0]?.examples.length).toBe(4);
  expect(await readConsumers(join(root, "policies"), "other")).toEqual({ consumers: [], examples: [] });
});

test("readConsumers() of a folder without the policy knows nobody", async () => {
  await using folder = await temporaryFolder();
  expect(await readConsumers(folder.path, "magika")).toEqual({ consumers: [], examples: [] });
});

test("readConsumers() refuses examples of somebody else, and says whose", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "consumers"));
  const consumer = '{ name: a, owner: b, operations: ["GET /v1/models"], examples: consumers/a.json }';
  await writeFile(
    join(folder.path, "consumers.yaml"),
    `schema: sluice/consumers/v1\nmodels: { magika: [${consumer}] }\n`,
  );
  const example = { name: "x", method: "GET", path: "/v1/models", status: 200, expects: {} };
  const file = { schema: "sluice/consumer-examples/v1", consumer: "z", examples: [example] };
  await writeFile(join(folder.path, "consumers/a.json"), JSON.stringify(file));
  await expect(readConsumers(folder.path, "magika")).rejects.toThrow("it is z's, expected a's");
});
