import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DeployError } from "../spec/error.ts";
import { RelativePath } from "../spec/name.ts";

/** What a folder may hold; more is refused before anything is read. */
export interface FolderLimits {
  files: number;
  bytes: number;
  depth: number;
}

export const folderLimits: FolderLimits = { files: 10_000, bytes: 8 * 2 ** 30, depth: 16 };

/** A regular file of a folder: path with forward slashes, size in bytes. */
export interface FoundFile {
  path: string;
  size: number;
}

/** The regular files of a folder, sorted by path, and in words everything else that was found in it. */
export interface Listing {
  files: FoundFile[];
  refused: string[];
}

/**
 * Lists a folder without following a link. Links, special files, names that not every file system keeps apart, and
 * more than `limits` are `refused`; throws `E_FILE` when the folder itself cannot be read.
 */
export async function listFolder(dir: string, limits: FolderLimits = folderLimits): Promise<Listing> {
  await requireFolder(dir);
  const walked: Walked = { files: [], refused: [], bytes: 0 };
  await walk(dir, "", limits, walked);
  const { files, refused } = walked;
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, refused: [...refused, ...findTwins(files.map((file) => file.path))] };
}

/** Throws `E_FILE` for what is no folder. */
export async function requireFolder(dir: string): Promise<void> {
  const found = await stat(dir).catch((cause: unknown) => {
    throw new DeployError("E_FILE", `Cannot read ${dir}: folder does not exist`, { cause });
  });
  if (!found.isDirectory()) throw new DeployError("E_FILE", `Cannot read ${dir}: it is no folder`);
}

interface Walked extends Listing {
  bytes: number;
}

/** Returns false once a limit was passed: nothing more is looked at. */
async function walk(dir: string, prefix: string, limits: FolderLimits, walked: Walked): Promise<boolean> {
  for (const name of await readdir(join(dir, prefix))) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const kind = await look(dir, path, limits, walked);
    if (kind === "folder" && !(await walk(dir, path, limits, walked))) return false;
    const breach = overLimit(walked, limits);
    if (breach !== undefined) {
      walked.refused.push(breach);
      return false;
    }
  }
  return true;
}

/** Notes one entry; tells whether it is a folder to walk. */
async function look(dir: string, path: string, limits: FolderLimits, walked: Walked): Promise<"folder" | "leaf"> {
  if (!RelativePath.safeParse(path).success || path.includes("\uFFFD")) {
    walked.refused.push(`${JSON.stringify(path)} has a name that is too long, not UTF-8 or not in Unicode form NFC`);
    return "leaf";
  }
  const found = await lstat(join(dir, path));
  if (found.isDirectory()) {
    if (path.split("/").length <= limits.depth) return "folder";
    walked.refused.push(`folder ${path} is nested more than ${limits.depth} deep`);
  } else if (found.isFile()) {
    walked.files.push({ path, size: found.size });
    walked.bytes += found.size;
  } else {
    walked.refused.push(`${path} is ${found.isSymbolicLink() ? "a symbolic link" : "a special file"}, expected a file`);
  }
  return "leaf";
}

function overLimit({ files, refused, bytes }: Walked, limits: FolderLimits): string | undefined {
  if (files.length + refused.length > limits.files) return `folder has more than ${limits.files} files`;
  if (bytes <= limits.bytes) return undefined;
  const last = files.at(-1);
  return `folder has more than ${limits.bytes} bytes, ${last?.path} alone has ${last?.size}`;
}

/** Names of files or folders that differ only by case, or look alike, would be one name on another machine. */
function findTwins(paths: string[]): string[] {
  const seen = new Map<string, string>();
  const twins = new Set<string>();
  for (const path of paths) {
    for (const name of prefixes(path)) {
      const folded = name.normalize("NFKC").toLowerCase();
      const twin = seen.get(folded) ?? name;
      if (twin !== name) twins.add(`${name} and ${twin} are one name on some file systems`);
      seen.set(folded, twin);
    }
  }
  return [...twins];
}

/** `a`, `a/b`, `a/b/c` of `a/b/c`. */
function prefixes(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}
