import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { TreeEntry } from "../../spec/image.ts";

/** Every path below `rootfs`, as the image sees it. Owners are true only where the unpacking ran as root. */
export async function readTree(rootfs: string, folder = "/"): Promise<TreeEntry[]> {
  const names = (await readdir(join(rootfs, folder))).sort();
  const entries: TreeEntry[] = [];
  for (const name of names) {
    const path = `${folder === "/" ? "" : folder}/${name}`;
    const found = await lstat(join(rootfs, path));
    const kind = found.isFile() ? "file" : found.isDirectory() ? "folder" : found.isSymbolicLink() ? "link" : "other";
    entries.push({ path, kind, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid, size: found.size });
    if (kind === "folder") entries.push(...(await readTree(rootfs, path)));
  }
  return entries;
}
