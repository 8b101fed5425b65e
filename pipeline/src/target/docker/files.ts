import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The folder that a revision's container sees, read-only: `keys.json` and, when the release has one, `record.json`. */
export type RevisionFiles = {
  folder: string;
  hasRecord: boolean;
};

/** Writes what revision `id` needs, readable for the container's user; the state folder above stays closed to all others. */
export async function writeFiles(
  parent: string,
  id: string,
  { keysFile, releaseDir }: { keysFile: string; releaseDir: string },
): Promise<RevisionFiles> {
  const folder = join(parent, id);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  await refreshKeys(parent, id, keysFile);
  const record = await readFile(join(releaseDir, "record.json"), "utf8").catch(() => undefined);
  if (record !== undefined) await publish(join(folder, "record.json"), record);
  return { folder, hasRecord: record !== undefined };
}

/** The one folder that the containers' user may write to; nobody else gets past the state folder above it. */
export async function sharedFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o777);
  return path;
}

/** Gives revision `id` the keys as they are now; the service looks for changes. */
export async function refreshKeys(parent: string, id: string, keysFile: string): Promise<void> {
  const path = join(parent, id, "keys.json");
  const keys = await readFile(keysFile, "utf8");
  if ((await readFile(path, "utf8").catch(() => "")) !== keys) await publish(path, keys);
}

export async function removeFiles(parent: string, id: string): Promise<void> {
  await rm(join(parent, id), { recursive: true, force: true });
}

/** As a whole, and readable for everybody. */
async function publish(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await chmod(`${path}.new`, 0o444);
  await rename(`${path}.new`, path);
}
