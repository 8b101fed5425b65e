import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { z } from "zod";

const home = join(import.meta.dirname, "../..");
const entry = "pipeline/src/index.ts";
const { include } = z
  .object({ include: z.array(z.string()) })
  .parse(JSON.parse(readFileSync(join(home, "dagger.json"), "utf8")));

/** Every file that `path` reaches by relative imports. */
function reached(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, target] of readFileSync(join(home, path), "utf8").matchAll(/from "(\.[^"]+)"/g)) {
    reached(relative(home, join(home, dirname(path), target ?? "")), found);
  }
  return found;
}

const files = [...reached(entry)].sort();

test("the Dagger module is typed against the SDK", () => {
  const tsc = join(home, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync("node", [tsc, "--noEmit", "-p", join(home, "pipeline")], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
}, 120_000);

test("dagger.json takes every file along that the module imports, and no program", () => {
  const patterns = include.filter((pattern) => !pattern.startsWith("!"));
  const left = files.filter((file) => !patterns.some((known) => file === known || file.startsWith(`${known}/`)));
  expect(left).toEqual([]);
  // The engine imports every file that it is given: one that runs at import would run there.
  expect(patterns.filter((known) => /(?:cli|main|worker|process|inside)/.test(known))).toEqual([]);
});

test("the Dagger module stays inside pipeline/, and imports no package that its container lacks", () => {
  expect(files.filter((file) => !file.startsWith("pipeline/src/"))).toEqual([]);
  const packages = new Set(
    files.flatMap((file) =>
      [...readFileSync(join(home, file), "utf8").matchAll(/from "([^."][^"]*)"/g)].map(([, name]) => name ?? ""),
    ),
  );
  const ours = JSON.parse(readFileSync(join(home, "pipeline/package.json"), "utf8"));
  const known = [...Object.keys(ours.dependencies), "@dagger.io/dagger"];
  expect([...packages].filter((name) => !name.startsWith("node:") && !known.includes(name))).toEqual([]);
});

describe("every function of the Dagger module", () => {
  const text = files
    .filter((file) => file === entry || file.startsWith("pipeline/src/dagger/"))
    .map((file) => readFileSync(join(home, file), "utf8"))
    .join("\n");
  const functions = [...text.matchAll(/(\S+)\s+@func\([^)]*\)\s+(?:async )?(\w+)/g)];

  test("says what it does", () => {
    expect(functions.length).toBeGreaterThan(20);
    expect(functions.filter(([, before]) => before !== "*/").map(([, , name]) => name)).toEqual([]);
  });

  test("that has an effect is never cached", () => {
    for (const name of ["rehearse", "publish", "promote", "rollback", "rollOut", "deploy", "database"]) {
      expect(text).toMatch(new RegExp(`@func\\(\\{ cache: "never" \\}\\)\\s+async ${name}\\(`));
    }
  });
});
