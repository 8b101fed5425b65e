import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { RolloutPolicy } from "../../pipeline/src/spec/policy.ts";
import { root, sluice } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";

setDefaultTimeout(60_000);

const quick = ["--runs", "3", "--fault", "none", "errors-5-percent", "--strategy", "laptop", "--rate", "60"];

test("simulate prints a row for each fault, and the same figures for the same seed", async () => {
  const first = await sluice(root, "simulate", ...quick);
  expect([first.exit, first.stderr]).toEqual([0, ""]);
  expect(first.stdout).toMatch(/\| none +\| 3 /);
  expect(first.stdout).toMatch(/\| errors-5-percent +\| 3 +\| 100 %/);
  expect((await sluice(root, "simulate", ...quick)).stdout).toBe(first.stdout);
});

test("simulate --policy judges by another file", async () => {
  await using folder = await temporaryFolder();
  const policy = RolloutPolicy.parse(parse(await readFile(join(root, "policies/rollout.yaml"), "utf8")));
  const { laptop } = policy.strategies;
  if (laptop === undefined) throw new Error("no strategy");
  const path = join(folder.path, "one-step.yaml");
  const oneStep = { ...laptop, steps: [{ weight: 50, seconds: 8, maxSeconds: 60, minRequests: 50 }] };
  await writeFile(path, stringify({ ...policy, strategies: { mine: oneStep } }));
  const args = ["--policy", path, "--strategy", "mine", "--fault", "none", "--runs", "2", "--json"];
  const { stdout } = await sluice(root, "simulate", ...args);
  expect(JSON.parse(stdout)).toMatchObject({ strategy: "mine", tallies: [{ promoted: 2, promotedSeconds: 8 }] });
  const unknown = await sluice(root, "simulate", "--policy", path, "--strategy", "laptop");
  expect([unknown.exit, unknown.stderr]).toEqual([2, expect.stringContaining("known are mine")]);
});

test("simulate --trace replays a recorded site, at its rate", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "trace.csv");
  const lines = Array.from({ length: 1_200 }, (_, i) => `${i * 50},${5 + (i % 7)}`);
  await writeFile(path, ["at_ms,latency_ms", ...lines].join("\n"));
  const { stdout } = await sluice(root, "simulate", ...quick.slice(0, 5), "--trace", path, "--json");
  const { site, tallies } = JSON.parse(stdout);
  expect(site).toMatchObject({ ratePerSecond: 20, latencies: { p50Ms: expect.closeTo(8, 6) } });
  expect(tallies).toHaveLength(2);
  const missing = await sluice(root, "simulate", "--trace", join(folder.path, "none.csv"));
  expect([missing.exit, missing.stderr]).toEqual([2, expect.stringContaining("does not exist")]);
});

test.each([
  ["a fault that is none", ["--fault", "gremlins"], "expected one of none, errors-1-percent"],
  ["a rate of errors above one", ["--errors", "2"], "--errors"],
])("simulate exits 2 for %s", async (_, args, message) => {
  const { exit, stderr } = await sluice(root, "simulate", ...args);
  expect([exit, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test("plan says what happens, how long, what each verdict needs, and what a broken canary costs", async () => {
  const { exit, stdout } = await sluice(root, "plan");
  expect(exit).toBe(0);
  for (const words of [
    "until promotion",
    "a pass needs",
    "Taken back, as a rule, after",
    "of the error budget of 30 days",
  ]) {
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(words);
  }
});
