import { expect, setDefaultTimeout, test } from "bun:test";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { replayGolden } from "../../service/src/golden.ts";
import { aModelCopy, edit, relock } from "../release/model-copy.ts";
import { magikaDir, patience, tabularDir, testService } from "../support/service-app.ts";
import { wildModel } from "../support/service-model.ts";
import { runtimes, spawnProcess } from "../support/service-process.ts";

setDefaultTimeout(patience);

test("replayGolden() asks every case of the shipped models, and all agree", async () => {
  await using service = await testService({ dirs: [tabularDir, magikaDir] });
  for (const model of service.models.all) expect(await replayGolden(model)).toBeGreaterThan(3);
});

test.each([
  ["swaps its labels", '=== 0n ? "malignant" : "benign"', '=== 0n ? "benign" : "malignant"', /golden case .*label is/],
  ["throws", "const [malignant", 'throw new Error("broken");\n  const [malignant', /golden case .* failed: broken/],
])("a service whose transformer %s ends with exit code 3 and never becomes ready", async (_, from, to, said) => {
  const dir = await aModelCopy();
  await edit(dir, "transformer.ts", from, to);
  await relock(dir);
  const [bun] = runtimes;
  if (bun === undefined) throw new Error("There is no runtime");
  const { process: service, ready } = await spawnProcess(bun, { dirs: [dir] });
  await using _service = service;
  expect(await service.exited).toBe(3);
  await ready;
  expect(service.url).toBe(""); // no ready file was written
  expect(service.output()).toMatch(said);
  await rm(dirname(dir), { recursive: true, force: true });
});

test("a model whose session cannot be made ends the start, not a loop of restarts", async () => {
  await using model = await wildModel();
  await edit(model.dir, "transformer.ts", "export const request", 'throw new Error("no");\nexport const request');
  await relock(model.dir);
  const [bun] = runtimes;
  if (bun === undefined) throw new Error("There is no runtime");
  const { process: service } = await spawnProcess(bun, { dirs: [model.dir] });
  await using _service = service;
  expect(await service.exited).toBe(2);
  expect(service.output()).toContain("Cannot import");
});
