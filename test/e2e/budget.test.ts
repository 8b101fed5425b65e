// An exhausted error budget blocks every way to let a release in, until somebody gives a reason.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { History } from "../../pipeline/src/target/local/history.ts";
import { sitePaths } from "../../pipeline/src/target/local/paths.ts";
import { aRepository, sluice } from "../support/cli.ts";

setDefaultTimeout(180_000);

let repository: Awaited<ReturnType<typeof aRepository>>;
const reason = "it mends what spent the budget";

beforeAll(async () => {
  repository = await aRepository("magika/3.2.0", "magika/3.3.0");
  await change("admission.yaml", /require: \[verify, contract, load\]/, "require: [verify]");
  await change("admission.yaml", /errorBudget: tell/, "errorBudget: block");
  // So little traffic that a machine that is busy with other tests answers all of it.
  await change("environments/local.yaml", /ratePerSecond: \d+/, "ratePerSecond: 8");
  await change("load.yaml", /ratePerSecond: \d+/, "ratePerSecond: 3");
  await change("rollout.yaml", /maxSeconds: \d+/g, "maxSeconds: 90");
  expect((await sluice(repository.path, "deploy", "magika@3.2.0")).exit).toBe(0);
});
afterAll(() => repository[Symbol.asyncDispose]());

async function change(file: string, from: RegExp, to: string): Promise<void> {
  const path = join(repository.path, "policies", file);
  await writeFile(path, (await readFile(path, "utf8")).replace(from, to));
}

/** Clients of the last hour met these answers. */
function meet(status: number, times: number): void {
  const history = new History(sitePaths(join(repository.path, ".sluice")).history);
  for (let i = 0; i < times; i++) history.count(status);
  history.save(Date.now());
  history.close();
}

test("budget tells what is left by the site's own history", async () => {
  meet(200, 5_000);
  meet(500, 2);
  const { exit, stdout } = await sluice(repository.path, "budget", "--json");
  expect([exit, JSON.parse(stdout)]).toMatchObject([
    0,
    { model: "magika", source: "the site's history", days: 30, requests: 5_002, errors: 2, verdict: { kind: "pass" } },
  ]);
});

test("deploy and rollout are refused while the budget is spent, with exit code 3 and what comes next", async () => {
  meet(500, 20);
  const budget = await sluice(repository.path, "budget");
  expect([budget.exit, budget.stdout]).toEqual([3, expect.stringContaining("error budget is spent: 22 of 5022")]);
  const deploy = await sluice(repository.path, "deploy", "magika@3.3.0");
  expect([deploy.exit, deploy.stderr]).toEqual([
    3,
    expect.stringMatching(/error budget is spent: 22 of 5022 requests failed.*next: .*--override-budget REASON/s),
  ]);
  const empty = await sluice(repository.path, "deploy", "magika@3.3.0", "--override-budget", " ");
  expect([empty.exit, empty.stderr]).toEqual([2, expect.stringContaining("--override-budget")]);
});

test("a reason lets it in, and stands in the journal and in the record", async () => {
  const deploy = await sluice(repository.path, "deploy", "magika@3.3.0", "--json", "--override-budget", reason);
  expect([deploy.exit, deploy.stderr]).toEqual([0, expect.stringContaining("promoted")]);
  const { rollout } = JSON.parse(deploy.stdout);
  const rolloutDir = join(repository.path, ".sluice/rollouts/local", rollout.rollout);
  const [opened = ""] = (await readFile(join(rolloutDir, "journal.jsonl"), "utf8")).split("\n");
  expect(JSON.parse(opened).event.budget.override).toMatchObject({ reason });
  expect(await readFile(join(rolloutDir, "report.html"), "utf8")).toContain(reason);
  const record = join(repository.path, ".sluice/releases", rollout.candidate.id, "record.json");
  expect(JSON.parse(await readFile(record, "utf8")).budget).toMatchObject({ override: { reason }, requests: 5_022 });
  const again = await sluice(repository.path, "rollout", rollout.stable.id);
  expect([again.exit, again.stderr]).toEqual([3, expect.stringContaining("error budget is spent")]);
});

test("rollback is never refused: it is the way out", async () => {
  expect((await sluice(repository.path, "rollback", "--reason", "errors")).exit).toBe(0);
});
