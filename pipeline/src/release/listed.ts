import { join } from "node:path";
import type { ListedFile } from "../spec/manifest.ts";
import { type DigestFiles, digestFiles } from "./digest.ts";
import { type FolderLimits, type FoundFile, folderLimits, listFolder } from "./walk.ts";

const largeBytes = 256 * 2 ** 20;

/** What a folder should hold, who says so, and the files that may lie beside without being listed. */
export type FileList = { says: string; files: readonly ListedFile[]; beside?: readonly string[] };

/** `digestLarge` digests the files of a large folder in its own way, such as on all cores. */
export type CompareOptions = { limits?: FolderLimits; digestLarge?: DigestFiles };

/** Says in words where a folder differs from a list; empty when every file is as listed, and no other is there. */
export async function compareFolder(
  dir: string,
  list: FileList,
  { limits = folderLimits, digestLarge = digestFiles }: CompareOptions = {},
): Promise<string[]> {
  const listing = await listFolder(dir, limits);
  const differences = [...listing.refused, ...compareNames(list, listing.files)];
  if (differences.length > 0) return differences;
  const isLarge = list.files.reduce((sum, file) => sum + file.size, 0) >= largeBytes;
  return compareDigests(dir, list, isLarge ? digestLarge : digestFiles);
}

/** Differences in one line, the first few. */
export function summarise(differences: readonly string[]): string {
  const shown = differences.slice(0, 5).join("; ");
  return differences.length > 5 ? `${shown}; and ${differences.length - 5} more` : shown;
}

function compareNames({ says, files, beside = [] }: FileList, found: readonly FoundFile[]): string[] {
  const sizes = new Map(found.map((file) => [file.path, file.size]));
  const differences: string[] = [];
  for (const file of files) {
    const size = sizes.get(file.path);
    if (size === undefined) {
      differences.push(`${file.path}: file is missing, ${says} says ${file.digest}`);
    } else if (size !== file.size) {
      differences.push(`${file.path}: size is ${size}, ${says} says ${file.size} (${file.digest})`);
    }
  }
  const names = new Set([...files.map((file) => file.path), ...beside]);
  for (const file of found) {
    if (!names.has(file.path)) differences.push(`${file.path}: file is extra, ${says} does not list it`);
  }
  return differences;
}

async function compareDigests(dir: string, { says, files }: FileList, digest: DigestFiles): Promise<string[]> {
  const found = await digest(files.map((file) => join(dir, file.path)));
  return files.flatMap((file, i) => {
    const actual = found[i]?.digest;
    return actual === file.digest ? [] : [`${file.path}: digest is ${actual}, ${says} says ${file.digest}`];
  });
}
