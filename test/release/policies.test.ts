import { beforeEach, expect, test } from "bun:test";
import { appendFile, cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readPolicies } from "../../pipeline/src/release/policies.ts";
import { root } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";

const shipped = join(root, "policies");
let before: string;
beforeEach(async () => {
  before = (await readPolicies(shipped, "local")).digest;
});

/** Every file of the shipped policies that bears on a release, whatever its environment. */
async function deciding(): Promise<string[]> {
  const files = await readdir(shipped, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(shipped.length + 1))
    .filter((path) => !path.startsWith("environments/") || path === "environments/local.yaml");
}

test("readPolicies() has every policy in its digest: one space more in any of them is another digest", async () => {
  const unseen: string[] = [];
  for (const path of await deciding()) {
    await using folder = await temporaryFolder();
    await cp(shipped, folder.path, { recursive: true });
    await appendFile(join(folder.path, path), "\n");
    if ((await readPolicies(folder.path, "local")).digest === before) unseen.push(path);
  }
  expect(unseen).toEqual([]);
});

test("readPolicies() of another environment's file does not see it, and takes a folder without consumers", async () => {
  await using folder = await temporaryFolder();
  await cp(shipped, folder.path, { recursive: true });
  await appendFile(join(folder.path, "environments/haproxy.yaml"), "\n");
  expect((await readPolicies(folder.path, "local")).digest).toBe(before);
  await rm(join(folder.path, "consumers.yaml"));
  expect((await readPolicies(folder.path, "local")).digest).not.toBe(before);
});
