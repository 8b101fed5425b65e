import { cp, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestFile } from "../../pipeline/src/release/digest.ts";
import { listFolder } from "../../pipeline/src/release/walk.ts";
import { Manifest, unlistedFiles } from "../../pipeline/src/spec/manifest.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tabular = join(root, "test/fixtures/models/tabular/1.0.0");

/** A copy of the tiny tabular model in a new temporary folder, beside the packages that its transformer imports. */
export async function aModelCopy(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "sluice-model-"));
  await symlink(join(root, "node_modules"), join(home, "node_modules"));
  const dir = join(home, "tabular");
  await cp(tabular, dir, { recursive: true });
  return dir;
}

/** Replaces text in a file of a folder; the text must be there. */
export async function edit(dir: string, path: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(dir, path), "utf8");
  if (!text.includes(from)) throw new Error(`${path} does not contain ${from}`);
  await writeFile(join(dir, path), text.replace(from, to));
}

/** Writes the manifest anew for the files as they are, with `change` applied: a bad release that is honest about its bytes. */
export async function relock(dir: string, change: Partial<Manifest> = {}): Promise<void> {
  const path = join(dir, "manifest.json");
  const manifest = await readJson(path, Manifest);
  const found = (await listFolder(dir)).files.filter((file) => !unlistedFiles.includes(file.path));
  const files = await Promise.all(
    found.map(async (file) => ({ ...file, ...(await digestFile(join(dir, file.path))) })),
  );
  await writeFile(path, JSON.stringify({ ...manifest, files, ...change }));
}
