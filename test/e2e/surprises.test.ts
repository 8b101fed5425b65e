import { expect, setDefaultTimeout, test } from "bun:test";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { RolloutPolicy } from "../../pipeline/src/spec/policy.ts";
import { edit, relock } from "../release/model-copy.ts";
import { aRepository, sluice, startCli, untilPrinted } from "../support/cli.ts";

setDefaultTimeout(180_000);

/** What these tests are about does not need the gates again, nor much traffic. */
async function aQuietRepository(...models: string[]): ReturnType<typeof aRepository> {
  const repository = await aRepository(...models);
  const policies = join(repository.path, "policies");
  const admission = { schema: "sluice/admission/v1", environments: { local: { require: ["verify"] } } };
  await writeFile(join(policies, "admission.yaml"), stringify(admission));
  const local = join(policies, "environments/local.yaml");
  await writeFile(local, (await readFile(local, "utf8")).replace(/ratePerSecond: \d+/, "ratePerSecond: 15"));
  return repository;
}

const both = ["magika/3.2.0", "magika/3.3.0"];
const Site = z.looseObject({ stable: z.string(), weights: z.record(z.string(), z.number()) });

async function siteOf(repository: string): Promise<z.infer<typeof Site>> {
  return Site.parse(JSON.parse((await sluice(repository, "site", "status", "--json")).stdout));
}

test("a policy edited during a rollout is not its policy, and another deployment meanwhile fails and changes nothing", async () => {
  await using repository = await aQuietRepository(...both);
  const running = startCli(repository.path, "deploy");
  await untilPrinted(running, "canary has weight 20");
  running.child.kill("SIGKILL");
  await running.result;

  const path = join(repository.path, "policies/rollout.yaml");
  const policy = RolloutPolicy.parse(parse(await readFile(path, "utf8")));
  const { laptop } = policy.strategies;
  if (laptop === undefined) throw new Error("no strategy");
  const edited = { ...policy, strategies: { laptop: { ...laptop, steps: laptop.steps.slice(0, 1) } } };
  await writeFile(path, stringify(edited));
  const before = await siteOf(repository.path);
  const other = await sluice(repository.path, "deploy", "magika@3.2.0");
  expect([other.exit, other.stderr]).toEqual([5, expect.stringContaining("the rollout of magika@3.3.0")]);
  expect(await siteOf(repository.path)).toEqual(before);

  await edit(join(repository.path, "models/magika/3.3.0"), "transformer.ts", "import", "/* edited */ import");
  await relock(join(repository.path, "models/magika/3.3.0"));
  const namesake = await sluice(repository.path, "deploy");
  expect([namesake.exit, namesake.stderr]).toEqual([5, expect.stringContaining("has not ended")]);

  const again = await sluice(repository.path, "rollout");
  expect([again.exit, again.stderr]).toEqual([0, expect.stringContaining("step 2 of 2: pass")]);
});

test("a release removed from disk in mid-rollout is taken back, stable serves", async () => {
  await using repository = await aQuietRepository(...both);
  const running = startCli(repository.path, "deploy");
  await untilPrinted(running, "canary has weight 20");
  const releases = join(repository.path, ".sluice/releases");
  const candidate = (await readdir(releases)).find((name) => name.startsWith("magika-3.3.0"));
  await rm(join(releases, candidate ?? ""), { recursive: true });
  const { exit, stderr } = await running.result;
  expect([exit, stderr]).toEqual([6, expect.stringContaining(candidate ?? "")]);
  expect((await siteOf(repository.path)).stable).toStartWith("magika-3.2.0");
});

test("two releases with the same name and other digests are two releases: one is rolled out over the other, and back", async () => {
  await using repository = await aQuietRepository("magika/3.2.0");
  expect((await sluice(repository.path, "deploy", "magika@3.2.0")).exit).toBe(0);
  const first = (await siteOf(repository.path)).stable;
  const dir = join(repository.path, "models/magika/3.2.0");
  await edit(dir, "transformer.ts", "import", "/* another build */ import");
  await rm(join(dir, "model.sig"), { force: true });
  await relock(dir);
  const second = await sluice(repository.path, "deploy", "magika@3.2.0");
  expect([second.exit, second.stderr]).toEqual([0, expect.stringContaining("promoted")]);
  const { stable } = await siteOf(repository.path);
  expect(stable).toStartWith("magika-3.2.0-");
  expect(stable).not.toBe(first);
  expect((await sluice(repository.path, "rollback", "--reason", "practice")).exit).toBe(0);
  const idOf = (revision: string) => revision.split(".").slice(0, 3).join(".");
  expect(idOf((await siteOf(repository.path)).stable)).toBe(idOf(first));
});
