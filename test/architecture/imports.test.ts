import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { Glob } from "bun";

const root = resolve(import.meta.dir, "../..");

/** What each part may import from, besides itself: `spec <- decide <- the parts that act <- the surfaces`. */
const acting = ["stage", "release", "rollout", "target", "report"];
const allowed: Record<string, readonly string[]> = {
  "pipeline/src/spec": [],
  "pipeline/src/decide": ["pipeline/src/spec"],
  ...Object.fromEntries(
    acting.map((part) => [
      `pipeline/src/${part}`,
      ["pipeline/src/spec", "pipeline/src/decide", ...acting.map((other) => `pipeline/src/${other}`)],
    ]),
  ),
  "pipeline/src/simulate": ["pipeline/src/spec", "pipeline/src/decide"],
  "service/src": ["pipeline/src/spec", "pipeline/src/release"],
};

function partOf(file: string): string {
  const known = Object.keys(allowed).find((part) => file.startsWith(`${part}/`));
  return known ?? file.split("/")[0] ?? file;
}

async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(join(root, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

async function sources(): Promise<string[]> {
  const found = await Array.fromAsync(new Glob("{pipeline,service}/src/**/*.ts").scan(root));
  return found.sort();
}

test("imports follow the arrow: spec <- decide <- acting parts <- surfaces; the service takes spec and release only", async () => {
  const wrong: string[] = [];
  for (const file of await sources()) {
    const part = partOf(file);
    for (const name of await importsOf(file)) {
      if (!name.startsWith(".")) continue;
      const target = relative(root, resolve(root, dirname(file), name));
      const other = partOf(target);
      const surface = part === "pipeline";
      const fine = other === part || (surface ? target.startsWith("pipeline/src/") : allowed[part]?.includes(other));
      if (!fine) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("decide/ is pure: no clock, no random, no console, no environment, no I/O", async () => {
  const banned =
    /\b(Date\.now|new Date\(\)|performance\.|Math\.random|crypto\.|console\.|process\.|Bun\.|Deno\.|fetch\(|setTimeout|setInterval)|from "(node:|bun)/;
  const files = (await sources()).filter((file) => file.startsWith("pipeline/src/decide/"));
  expect(files.length).toBeGreaterThan(5);
  const wrong: string[] = [];
  for (const file of files) {
    const text = (await readFile(join(root, file), "utf8")).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    const found = banned.exec(text);
    if (found !== null) wrong.push(`${file} uses ${found[0]}`);
  }
  expect(wrong).toEqual([]);
});

test("process.exit stands only where a process begins: in files that no other imports", async () => {
  const files = await sources();
  const imported = new Set<string>();
  for (const file of files) {
    for (const name of await importsOf(file)) imported.add(relative(root, resolve(root, dirname(file), name)));
  }
  const wrong: string[] = [];
  for (const file of files) {
    if (/\bprocess\.exit\(/.test(await readFile(join(root, file), "utf8")) && imported.has(file)) wrong.push(file);
  }
  expect(wrong).toEqual([]);
});

test("each rejecting or resolving expectation is awaited: bun's types let it be forgotten", async () => {
  const forgotten: string[] = [];
  for (const file of await Array.fromAsync(new Glob("test/**/*.ts").scan(root))) {
    const text = await readFile(join(root, file), "utf8");
    for (const [statement] of text.matchAll(/^[^\n]*\bexpect\((?:[^;]|\n)*?\)\s*\.(?:rejects|resolves)\b/gm)) {
      if (!/\b(await|return)\b|=>\s*expect/.test(statement))
        forgotten.push(`${file}: ${statement.trim().slice(0, 80)}`);
    }
  }
  expect(forgotten).toEqual([]);
});
