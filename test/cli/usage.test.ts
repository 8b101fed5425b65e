import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aRepository, root, sluice } from "../support/cli.ts";

setDefaultTimeout(60_000);

test.each([
  ["an unknown command", ["deploi"], "unknown command 'deploi'"],
  ["an unknown flag", ["deploy", "--fast"], "unknown option '--fast'"],
  ["an unknown model", ["deploy", "magika@9.9.9"], "known are magika@3.2.0, magika@3.3.0"],
  ["a model without version", ["verify", "magika"], "known are magika@3.2.0, magika@3.3.0"],
  ["an unknown environment", ["deploy", "--environment", "moon"], "known are docker, haproxy"],
])("sluice exits 2 for %s and says what is known", async (_, args, words) => {
  const { exit, stderr, stdout } = await sluice(root, ...args);
  expect([exit, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(words);
});

test.each([
  [
    "an unknown key",
    "slo.yaml",
    "schema: sluice/slo/v1\nbudgetDays: 30\nmodels: {}\nbudget: 1\n",
    'Unrecognized key: "budget"',
  ],
  [
    "a wrong type",
    "slo.yaml",
    "schema: sluice/slo/v1\nbudgetDays: many\nmodels: {}\n",
    "slo.yaml:2:13: Invalid input: expected number",
  ],
  ["an empty file", "admission.yaml", "", "admission.yaml: file is empty"],
  ["a file that is not YAML", "load.yaml", "profiles: [\n", "load.yaml:"],
  ["a key twice", "load.yaml", "schema: a\nschema: b\n", "Map keys must be unique"],
  ["descending weights", "rollout.yaml", "", "file is empty"],
])("sluice exits 2 for %s in a policy and says where", async (_, file, text, words) => {
  await using repository = await aRepository("magika/3.2.0", "magika/3.3.0");
  await writeFile(join(repository.path, "policies", file), text);
  const { exit, stderr } = await sluice(repository.path, "deploy");
  expect([exit, stderr]).toEqual([2, expect.stringContaining(words)]);
  expect(stderr).toContain(join("policies", file));
});

test("sluice exits 2 for a missing policy and names it", async () => {
  await using repository = await aRepository("magika/3.2.0", "magika/3.3.0");
  await rm(join(repository.path, "policies/slo.yaml"));
  const { exit, stderr } = await sluice(repository.path, "deploy");
  expect([exit, stderr]).toEqual([2, expect.stringContaining("slo.yaml: file does not exist")]);
});

test("sluice deploy exits 3 for one changed byte, names file and digests, and starts nothing", async () => {
  await using repository = await aRepository("magika/3.2.0", "magika/3.3.0");
  const path = join(repository.path, "models/magika/3.3.0/model.onnx");
  const bytes = await readFile(path);
  bytes[1_000] = (bytes[1_000] ?? 0) ^ 1;
  await rm(path);
  await writeFile(path, bytes);
  const { exit, stdout } = await sluice(repository.path, "deploy");
  expect(exit).toBe(3);
  expect(stdout).toMatch(/model\.onnx: digest is sha256:[0-9a-f]{64}, manifest says sha256:[0-9a-f]{64}/);
  const site = await sluice(repository.path, "site", "status", "--json");
  expect(JSON.parse(site.stdout)).toEqual({ up: false });
});

test("every command has help with an example", async () => {
  const without = await withoutExample([]);
  expect(without).toEqual([]);
});

/** The commands below a group whose help shows no example. */
async function withoutExample(group: readonly string[]): Promise<string[]> {
  const { stdout } = await sluice(root, ...group, "--help");
  const list = /^Commands:\n([\s\S]*?)\n(?:\n|$)/m.exec(stdout)?.[1];
  if (list === undefined) return stdout.includes("Example:") ? [] : [group.join(" ")];
  const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1] ?? "").filter((name) => name !== "help");
  expect(names.length).toBeGreaterThan(0);
  return (await Promise.all(names.map((name) => withoutExample([...group, name])))).flat();
}
