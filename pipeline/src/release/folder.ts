import { join } from "node:path";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import { Manifest, type ManifestFile, unlistedFiles } from "../spec/manifest.ts";
import { parseJson } from "../spec/read.ts";
import { type DigestFiles, digestBytes, digestFiles, digestList } from "./digest.ts";
import { readWhole } from "./steady.ts";
import { type FolderLimits, type FoundFile, folderLimits, listFolder } from "./walk.ts";

const maxManifestBytes = 16 * 2 ** 20;
const largeBytes = 256 * 2 ** 20;

/** A model folder as it was found. `digest` is over every listed file and `manifest.json`, as they are on disk. */
export interface Folder {
  manifest: Manifest;
  digest: Digest;
  files: ManifestFile[];
}

/** Proves a model folder against its manifest: throws `E_FILE` for a bad manifest, `E_DIGEST` naming each file that differs. */
export async function verifyFolder(dir: string): Promise<Folder> {
  const { differences, ...folder } = await inspectFolder(dir);
  if (differences.length === 0) return folder;
  throw new DeployError("E_DIGEST", `Cannot use ${dir}: ${summarise(differences)}`);
}

/** `digestLarge` digests the files of a large folder in its own way, such as on all cores. */
export type InspectOptions = { limits?: FolderLimits; digestLarge?: DigestFiles };

/** Compares a model folder with its manifest. An empty `differences` means that every file is as listed, and no other is there. */
export async function inspectFolder(
  dir: string,
  { limits = folderLimits, digestLarge = digestFiles }: InspectOptions = {},
): Promise<Folder & { differences: string[] }> {
  const listing = await listFolder(dir, limits);
  const { manifest, itself } = await readManifest(dir);
  const { files } = manifest;
  const differences = [...listing.refused, ...compareNames(files, listing.files)];
  if (differences.length === 0) {
    const isLarge = files.reduce((sum, file) => sum + file.size, 0) >= largeBytes;
    differences.push(...(await compareDigests(dir, files, isLarge ? digestLarge : digestFiles)));
  }
  return { manifest, digest: digestList([...files, itself]), files, differences };
}

/** Reads `manifest.json` of a folder and checks that it agrees with itself; throws `E_FILE`. `itself` is of the bytes read. */
export async function readManifest(dir: string): Promise<{ manifest: Manifest; itself: ManifestFile }> {
  const path = join(dir, "manifest.json");
  const bytes = await readWhole(path, maxManifestBytes);
  const manifest = parseJson(new TextDecoder().decode(bytes), Manifest, path);
  const problem = findProblem(manifest);
  if (problem !== undefined) throw new DeployError("E_FILE", `Cannot use ${path}: ${problem}`);
  return { manifest, itself: { path: "manifest.json", size: bytes.length, digest: digestBytes(bytes) } };
}

/** Reads one listed file whole; throws `E_DIGEST` unless these very bytes are the listed ones. */
export async function readListed(dir: string, file: ManifestFile): Promise<Uint8Array<ArrayBuffer>> {
  const path = join(dir, file.path);
  const bytes = await readWhole(path, folderLimits.bytes);
  const actual = digestBytes(bytes);
  if (actual === file.digest) return bytes;
  throw new DeployError("E_DIGEST", `Cannot use ${path}: digest is ${actual}, manifest says ${file.digest}`);
}

function findProblem(manifest: Manifest): string | undefined {
  const paths = manifest.files.map((file) => file.path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) return `files lists ${twice} twice`;
  const unlistable = paths.find((path) => unlistedFiles.includes(path));
  if (unlistable !== undefined) return `files lists ${unlistable}, which no manifest can list`;
  for (const role of ["model", "transformer", "golden"] as const) {
    if (!paths.includes(manifest[role])) return `${role} is ${manifest[role]}, expected one of the listed files`;
  }
  const outputs = manifest.outputs.map((output) => output.name);
  const missing = outputs.find((name) => !Object.hasOwn(manifest.tolerance.outputs, name));
  if (missing !== undefined) return `tolerance.outputs has no entry for output ${missing}`;
  return undefined;
}

function compareNames(listed: readonly ManifestFile[], found: readonly FoundFile[]): string[] {
  const sizes = new Map(found.map((file) => [file.path, file.size]));
  const differences: string[] = [];
  for (const file of listed) {
    const size = sizes.get(file.path);
    if (size === undefined) {
      differences.push(`${file.path}: file is missing, manifest says ${file.digest}`);
    } else if (size !== file.size) {
      differences.push(`${file.path}: size is ${size}, manifest says ${file.size} (${file.digest})`);
    }
  }
  const names = new Set([...listed.map((file) => file.path), ...unlistedFiles]);
  for (const file of found) {
    if (!names.has(file.path)) differences.push(`${file.path}: file is extra, manifest does not list it`);
  }
  return differences;
}

async function compareDigests(dir: string, listed: readonly ManifestFile[], digest: DigestFiles): Promise<string[]> {
  const found = await digest(listed.map((file) => join(dir, file.path)));
  return listed.flatMap((file, i) => {
    const actual = found[i]?.digest;
    return actual === file.digest ? [] : [`${file.path}: digest is ${actual}, manifest says ${file.digest}`];
  });
}

function summarise(differences: string[]): string {
  const shown = differences.slice(0, 5).join("; ");
  return differences.length > 5 ? `${shown}; and ${differences.length - 5} more` : shown;
}
