import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readListed } from "../release/folder.ts";
import type { Manifest } from "../spec/manifest.ts";

/**
 * Copies a model folder's transformer and its data, all but the model itself, to a private folder where `zod` is found:
 * a folder of somebody else's repository may have no `node_modules` above it, and what was proven is what is imported.
 */
export async function copyTransformer(dir: string, manifest: Manifest): Promise<{ path: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), "sluice-golden-"));
  const path = join(root, "model");
  const copy = { path, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
  try {
    await symlink(modulesFolder(), join(root, "node_modules"), "dir");
    for (const file of manifest.files) {
      if (file.path === manifest.model) continue;
      const target = join(path, file.path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, await readListed(dir, file));
    }
    return copy;
  } catch (error) {
    await copy[Symbol.asyncDispose]();
    throw error;
  }
}

/** The `node_modules` folder that Sluice's own `zod` is in. */
function modulesFolder(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve("zod/package.json")));
}
