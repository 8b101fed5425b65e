import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DeployError } from "../spec/error.ts";
import { ModelRef, splitModelRef } from "../spec/name.ts";

/** The folder of `ref` (`name@version`) in models folder `dir`; throws `E_USAGE` with the known ones. */
export async function findModel(dir: string, ref: string): Promise<string> {
  const known = await listModels(dir);
  const parsed = ModelRef.safeParse(ref);
  if (!parsed.success || !known.includes(parsed.data)) {
    throw new DeployError("E_USAGE", `Cannot find model ${ref} in ${dir}: known are ${known.join(", ") || "none"}`);
  }
  const { name, version } = splitModelRef(parsed.data);
  return join(dir, name, version);
}

/** Every `name@version` in models folder `dir`, sorted. */
export async function listModels(dir: string): Promise<ModelRef[]> {
  const refs: ModelRef[] = [];
  for (const name of await foldersOf(dir)) {
    for (const version of await foldersOf(join(dir, name))) {
      const ref = ModelRef.safeParse(`${name}@${version}`);
      if (ref.success) refs.push(ref.data);
    }
  }
  return refs.sort();
}

async function foldersOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
