import { join } from "node:path";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import { Manifest, type ManifestFile, unlistedFiles } from "../spec/manifest.ts";
import { parseJson } from "../spec/read.ts";
import { digestBytes, digestList } from "./digest.ts";
import { type CompareOptions, compareFolder, summarise } from "./listed.ts";
import { readWhole } from "./steady.ts";
import { requireFolder } from "./walk.ts";

const maxManifestBytes = 16 * 2 ** 20;
const maxBufferBytes = 4 * 2 ** 30;

/** A model folder as it was found. `digest` is over every listed file and `manifest.json` (`itself`), as they are on disk. */
export interface Folder {
  manifest: Manifest;
  digest: Digest;
  files: ManifestFile[];
  itself: ManifestFile;
}

/** Proves a model folder against its manifest: throws `E_FILE` for a bad manifest, `E_DIGEST` naming each file that differs. */
export async function verifyFolder(dir: string, options: CompareOptions = {}): Promise<Folder> {
  const { differences, ...folder } = await inspectFolder(dir, options);
  if (differences.length === 0) return folder;
  throw new DeployError("E_DIGEST", `Cannot use ${dir}: ${summarise(differences)}`);
}

/** Compares a model folder with its manifest. An empty `differences` means that every file is as listed, and no other is there. */
export async function inspectFolder(
  dir: string,
  options: CompareOptions = {},
): Promise<Folder & { differences: string[] }> {
  await requireFolder(dir);
  const { manifest, itself } = await readManifest(dir);
  const { files } = manifest;
  const list = { says: "manifest", files, beside: unlistedFiles };
  const differences = await compareFolder(dir, list, options);
  return { manifest, digest: digestList([...files, itself]), files, itself, differences };
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

/**
 * Reads one listed file whole; throws `E_DIGEST` unless these very bytes are the listed ones, `E_FILE` for more than `maxBytes`:
 * by default what one buffer may hold.
 */
export async function readListed(
  dir: string,
  file: ManifestFile,
  maxBytes = maxBufferBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const path = join(dir, file.path);
  const bytes = await readWhole(path, maxBytes);
  const actual = digestBytes(bytes);
  if (actual === file.digest) return bytes;
  throw new DeployError("E_DIGEST", `Cannot use ${path}: digest is ${actual}, manifest says ${file.digest}`);
}

function findProblem(manifest: Manifest): string | undefined {
  const paths = manifest.files.map((file) => file.path);
  const seen = new Set<string>();
  const twice = paths.find((path) => seen.has(path) || !seen.add(path));
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
