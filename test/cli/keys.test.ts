import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { root, sluice } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";

setDefaultTimeout(30_000);

test("keys create shows a key once and keeps only its digest; revoke closes it", async () => {
  await using state = await temporaryFolder();
  const keys = (...args: string[]) => sluice(root, "keys", ...args, "--state", state.path);
  const created = await keys("create", "ci", "--scope", "predict", "read");
  expect([created.exit, created.stdout]).toEqual([0, expect.stringMatching(/^sluice_ci_[\w-]{32}\n$/)]);
  const path = join(state.path, "keys.json");
  expect(await readFile(path, "utf8")).not.toContain(created.stdout.trim());
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await keys("create", "ci", "--scope", "read")).exit).toBe(2);

  expect((await keys("revoke", "ci")).exit).toBe(0);
  const listed = JSON.parse((await keys("list", "--json")).stdout);
  expect(listed.keys).toMatchObject([{ id: "ci", scopes: ["predict", "read"], revokedAt: expect.any(String) }]);
  expect((await keys("revoke", "nobody")).stderr).toContain("known: ci");
});

test.each([
  ["a scope that is none", ["create", "ci", "--scope", "fly"], "--scope"],
  ["an id that is none", ["create", "C I", "--scope", "read"], "C I"],
  ["a time that is none", ["create", "ci", "--scope", "read", "--expires-at", "soon"], "--expires-at"],
])("keys exits 2 for %s", async (_, args, words) => {
  await using state = await temporaryFolder();
  const { exit, stderr } = await sluice(root, "keys", ...args, "--state", state.path);
  expect([exit, stderr]).toEqual([2, expect.stringContaining(words)]);
});
