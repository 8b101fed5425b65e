import { expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aRepository, sluice } from "../support/cli.ts";

test("a rollout that nobody sends requests to is paused with what is missing, and goes on with made-up traffic", async () => {
  await using repository = await aRepository("magika/3.2.0", "magika/3.3.0");
  const change = async (name: string, how: (text: string) => string) => {
    const path = join(repository.path, "policies", name);
    await writeFile(path, how(await readFile(path, "utf8")));
  };
  await change("environments/local.yaml", (text) => text.replace(/^traffic: .*\n/m, ""));
  await change("rollout.yaml", (text) => text.replaceAll("maxSeconds: 30", "maxSeconds: 6"));

  const paused = await sluice(repository.path, "deploy");
  expect(paused.stderr).toMatch(/step 1 of \d: inconclusive; .*; canary had 0 requests in \d+ s, policy needs 20/);
  expect(paused.stdout).toContain("is paused");
  expect(paused.stdout).toContain("policy needs 20 (20 more)");
  expect(paused.stdout).toContain("sluice -- resume --traffic synthetic");
  expect(paused.exit).toBe(4);

  const resumed = await sluice(repository.path, "resume", "--traffic", "synthetic");
  expect(resumed.stdout).toContain("is released and serves all traffic");
  expect(resumed.exit).toBe(0);

  const unknown = await sluice(repository.path, "rollout", "--traffic", "real");
  expect(unknown.stderr).toContain("Cannot use --traffic: expected synthetic");
  expect(unknown.exit).toBe(2);
}, 180_000);
