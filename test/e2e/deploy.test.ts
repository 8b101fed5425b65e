import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { aRepository, keyOf, sluice, startCli, untilPrinted } from "../support/cli.ts";
import { startClient } from "../support/client.ts";

setDefaultTimeout(180_000);

const both = ["magika/3.2.0", "magika/3.3.0"];

interface Site {
  address: string;
  pid: number;
  stable: string;
  weights: Record<string, number>;
  revisions: { id: string; pid: number; restarts: number }[];
}

async function siteOf(repository: string): Promise<Site> {
  return JSON.parse((await sluice(repository, "site", "status", "--json")).stdout);
}

test("deploy releases through a canary, finds nothing to do the second time, and rolls back", async () => {
  await using repository = await aRepository(...both);
  const first = await sluice(repository.path, "deploy", "--json");
  expect([first.exit, first.stderr]).toEqual([0, expect.stringContaining("promoted: every step passed")]);
  const { rollout, reportPath, address } = JSON.parse(first.stdout);
  expect(rollout).toMatchObject({ status: "promoted" });
  expect(await readFile(reportPath, "utf8")).toContain("magika-3.3.0");

  const site = await siteOf(repository.path);
  expect(site.stable).toStartWith("magika-3.3.0");
  expect(Object.values(site.weights)).toEqual([100]);
  expect(site.revisions).toHaveLength(1);

  const answer = await fetch(`${address}/v1/models/magika/predict`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await keyOf(repository.path)}`,
      "content-type": "application/octet-stream",
    },
    body: await readFile(join(repository.path, "models/magika/3.3.0/transformer.ts")),
  });
  expect([answer.status, await answer.json()]).toMatchObject([200, { output: { label: "typescript" } }]);

  const second = await sluice(repository.path, "deploy");
  expect([second.exit, second.stdout]).toEqual([0, expect.stringContaining("Nothing to do")]);

  const back = await sluice(repository.path, "rollback", "--reason", "practice");
  expect(back.exit).toBe(0);
  expect((await siteOf(repository.path)).stable).toStartWith("magika-3.2.0");
  const history = JSON.parse((await sluice(repository.path, "history", "--json")).stdout);
  expect(history.rollouts.map((row: { result: string }) => row.result)).toEqual(["promoted", "promoted"]);
});

test("deploy goes on after SIGKILL in the middle of a rollout, and no request is lost", async () => {
  await using repository = await aRepository(...both);
  const running = startCli(repository.path, "deploy");
  await untilPrinted(running, "canary has weight 20");
  const { address } = await siteOf(repository.path);
  const client = startClient(address, await keyOf(repository.path));
  running.child.kill("SIGKILL");
  await running.result;

  const again = await sluice(repository.path, "deploy");
  expect([again.exit, again.stderr]).toEqual([0, expect.stringContaining("going on with rollout")]);
  expect((await siteOf(repository.path)).stable).toStartWith("magika-3.3.0");
  const seen = await client.stop();
  expect(seen.failures).toEqual([]);
  expect(seen.answers).toBeGreaterThan(20);
});

test("a second deploy at the same time exits 7 and names the holder", async () => {
  await using repository = await aRepository(...both);
  const running = startCli(repository.path, "deploy");
  await untilPrinted(running, "verify");
  const second = await sluice(repository.path, "deploy");
  expect([second.exit, second.stderr]).toEqual([7, expect.stringContaining(`:${running.child.pid}`)]);
  running.child.kill("SIGTERM");
  await running.result;
});

test("a killed revision is restarted, and a killed site comes back with its weights", async () => {
  await using repository = await aRepository(...both);
  expect((await sluice(repository.path, "deploy", "magika@3.2.0")).exit).toBe(0);
  const before = await siteOf(repository.path);
  const [revision] = before.revisions;
  if (revision === undefined) throw new Error("no revision");
  process.kill(revision.pid, "SIGKILL");
  const client = startClient(before.address, await keyOf(repository.path));
  await client.answered(1);
  expect((await siteOf(repository.path)).revisions[0]).toMatchObject({ restarts: 1 });
  await client.stop();

  process.kill(before.pid, "SIGKILL");
  expect((await sluice(repository.path, "site", "up")).exit).toBe(0);
  const after = await siteOf(repository.path);
  expect(after.pid).not.toBe(before.pid);
  expect([after.address, after.stable, after.weights]).toEqual([before.address, before.stable, before.weights]);
  const again = startClient(after.address, await keyOf(repository.path));
  await again.answered(5);
  expect((await again.stop()).failures).toEqual([]);
});
