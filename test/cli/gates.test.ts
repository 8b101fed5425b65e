import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { aRepository, sluice } from "../support/cli.ts";
import { passedOrBusy } from "../support/load.ts";

setDefaultTimeout(180_000);

let repository: Awaited<ReturnType<typeof aRepository>>;
beforeAll(async () => {
  repository = await aRepository("magika/3.2.0", "magika/3.3.0");
  expect((await sluice(repository.path, "deploy", "magika@3.2.0")).exit).toBe(0);
});
afterAll(() => repository[Symbol.asyncDispose]());

async function revisions(): Promise<string[]> {
  const { stdout } = await sluice(repository.path, "site", "status", "--json");
  return JSON.parse(stdout).revisions.map(({ id }: { id: string }) => id);
}

test("gates runs contract and load beside stable, and leaves nothing behind", async () => {
  const before = await revisions();
  const { exit, stdout } = await sluice(repository.path, "gates", "magika@3.3.0", "--json");
  const { reports } = JSON.parse(stdout);
  expect(passedOrBusy).toContain(exit);
  expect(reports[0].verdict).toEqual({ kind: "pass" });
  expect(reports.map(({ stage }: { stage: string }) => stage)).toEqual(["contract", "load"]);
  const names = reports[0].checks.map(({ name }: { name: string }) => name);
  expect(names).toContain("an Idempotency-Key outlives a restart of the service");
  expect(names).toContain("an Idempotency-Key survives an upgrade and a rollback");
  expect(await revisions()).toEqual(before);
});

test("a report's own command measures it again, and writes a page", async () => {
  const page = join(repository.path, "load.html");
  const first = await sluice(
    repository.path,
    "gates",
    "magika@3.3.0",
    "--only",
    "load",
    "--profile",
    "smoke",
    "--page",
    page,
  );
  expect(passedOrBusy).toContain(first.exit);
  expect(first.stdout).toMatch(/candidate +stable/);
  expect(await readFile(page, "utf8")).toContain("<title>Response times");
  const command = first.stdout.trimEnd().split("\n").at(-1)?.trim() ?? "";
  expect(command).toMatch(/^sluice gates magika-3\.3\.0-[0-9a-f]{12} --only load --profile smoke --environment local /);
  const again = await sluice(repository.path, ...command.split(" ").slice(1), "--json");
  expect(passedOrBusy).toContain(again.exit);
  expect(JSON.parse(again.stdout).reports[0].repeat).toBe(command);
});

test("gates exits 2 for a gate or a profile that is none", async () => {
  const gate = await sluice(repository.path, "gates", "magika@3.3.0", "--only", "scan");
  expect([gate.exit, gate.stderr]).toEqual([2, expect.stringContaining("expected contract or load")]);
  const profile = await sluice(repository.path, "gates", "magika@3.3.0", "--profile", "nope");
  expect([profile.exit, profile.stderr]).toEqual([2, expect.stringContaining("known are smoke")]);
});
