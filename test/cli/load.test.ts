import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { aCandidate, type Candidate } from "../support/candidate.ts";
import { aRepository, root, sluice } from "../support/cli.ts";
import { passedOrBusy } from "../support/load.ts";

setDefaultTimeout(60_000);

let service: Candidate;
beforeAll(async () => {
  service = await aCandidate(join(root, "models/magika/3.3.0"));
});
afterAll(() => service.stop());

test("load measures a running service, and stable beside it", async () => {
  await using repository = await aRepository("magika/3.3.0");
  const keyFile = join(repository.path, "key");
  await writeFile(keyFile, service.key);
  const where = ["--url", service.url, "--key-file", keyFile];
  const { exit, stdout } = await sluice(
    repository.path,
    "load",
    "magika@3.3.0",
    ...where,
    "--stable-url",
    service.url,
    "--json",
  );
  const { report } = JSON.parse(stdout);
  expect(passedOrBusy).toContain(exit);
  expect(report.facts).toMatchObject({ planned: 60, requests: 60, stable: { requests: 60 } });
  expect(report.repeat).toStartWith(`sluice load magika@3.3.0 --url ${service.url} --key-file ${keyFile}`);
});

test.each([
  ["a profile that load.yaml lacks", ["--profile", "nope"], 2, "known are capacity, gate, smoke, soak"],
  ["a driver that is none", ["--driver", "jmeter"], 2, "expected sluice or k6"],
])("load exits for %s", async (_, args, code, words) => {
  const where = ["--url", service.url, "--key-file", join(root, "LICENSE")];
  const { exit, stderr } = await sluice(root, "load", "magika@3.3.0", ...where, ...args);
  expect([exit, stderr]).toEqual([code, expect.stringContaining(words)]);
});

test("rules prints a rule file with the objectives of slo.yaml", async () => {
  const { exit, stdout } = await sluice(root, "rules");
  expect(exit).toBe(0);
  const alerts = parse(stdout).groups[0].rules.flatMap((rule: { alert?: string }) => rule.alert ?? []);
  expect(alerts).toContain("SluiceErrorBudgetBurn1h");
});

test("budget is untouched where nothing was served yet, and unknown where nobody keeps a history", async () => {
  await using repository = await aRepository("magika/3.3.0");
  const { exit, stdout } = await sluice(repository.path, "budget");
  expect([exit, stdout]).toEqual([0, expect.stringContaining("100.0 % of the error budget is left: 0 of 0 requests")]);
  const unknown = await sluice(repository.path, "budget", "--environment", "staging");
  expect([unknown.exit, unknown.stderr]).toEqual([
    5,
    expect.stringContaining("keeps no history; next: name a prometheus"),
  ]);
});
