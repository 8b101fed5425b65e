import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { keyOf, quicken, root, sluice } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";

setDefaultTimeout(180_000);

const onnx = join(root, "test/fixtures/models/tabular/1.0.0/model.onnx");

test("a repository that init laid down from an ONNX file is deployed, and its next version goes through the canary", async () => {
  await using folder = await temporaryFolder();
  const init = (version: string) =>
    sluice(folder.path, "init", onnx, "--name", "churn", "--license", "MIT", "--model-version", version);
  try {
    expect((await init("1.0.0")).exit).toBe(0);
    await quicken(join(folder.path, "policies"), "churn");
    const first = await sluice(folder.path, "deploy");
    expect([first.exit, first.stdout]).toEqual([0, expect.stringContaining("is stable and serves all traffic")]);

    expect((await init("1.1.0")).exit).toBe(0);
    const second = await sluice(folder.path, "deploy", "churn@1.1.0", "--json");
    expect([second.exit, second.stderr]).toEqual([0, expect.stringContaining("promoted: every step passed")]);
    const { address, reportPath } = JSON.parse(second.stdout);
    const answer = await fetch(`${address}/v1/models/churn/predict`, {
      method: "POST",
      headers: { authorization: `Bearer ${await keyOf(folder.path)}`, "content-type": "application/json" },
      body: await readFile(join(reportPath, "../question.json")),
    });
    const { cases } = JSON.parse(await readFile(join(folder.path, "models/churn/1.1.0/golden.json"), "utf8"));
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { model: { version: "1.1.0" }, output: cases[0].response },
    ]);
  } finally {
    await sluice(folder.path, "site", "down");
  }
});
