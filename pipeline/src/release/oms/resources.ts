import { createHash } from "node:crypto";
import { join } from "node:path";
import { DeployError } from "../../spec/error.ts";
import type { ListedFile } from "../../spec/manifest.ts";
import { type Resource, Serialization } from "../../spec/oms.ts";
import { digestFile } from "../digest.ts";
import { readSteadily } from "../steady.ts";
import { type FolderLimits, listFolder } from "../walk.ts";

/** What no OMS signature covers: the signature itself, and git's own files at the top. */
export const ignoredPaths: readonly string[] = [".git", ".gitattributes", ".github", ".gitignore", "model.sig"];

/** How a folder is signed unless told: one resource a file. */
export const wholeFiles: Serialization = Serialization.parse({
  method: "files",
  hash_type: "sha256",
  allow_symlinks: false,
  ignore_paths: ignoredPaths,
});

/** How a folder is signed in shards of `bytes`. */
export function inShards(bytes: number): Serialization {
  return Serialization.parse({ ...wholeFiles, method: "shards", shard_size: bytes });
}

/** How a shard's algorithm is named: as the specification says, or as its reference implementation in Python has it. */
type ShardNames = "specification" | "reference";

/** `known` are digests of whole files that were just read, and need not be read again. */
export type ReadOptions = { limits?: FolderLimits; known?: readonly ListedFile[]; shardNames?: ShardNames };

/**
 * The resources of a model folder in the specification's order, read as `serialization` says. Throws `E_DIGEST` naming what
 * cannot be signed, such as a link.
 */
export async function readResources(
  dir: string,
  serialization: Serialization,
  { limits, known = [], shardNames = "reference" }: ReadOptions = {},
): Promise<Resource[]> {
  const { files, refused } = await listFolder(dir, limits);
  if (refused.length > 0) throw new DeployError("E_DIGEST", `Cannot read ${dir}: ${refused.slice(0, 5).join("; ")}`);
  const ignored = [...ignoredPaths, ...(serialization.ignore_paths ?? [])];
  const covered = files.filter(({ path }) => !ignored.some((entry) => path === entry || path.startsWith(`${entry}/`)));
  const resources: Resource[][] = [];
  const digests = new Map(known.map(({ path, digest }) => [path, digest]));
  for (const { path } of covered) {
    if (serialization.method === "shards") {
      const bytes = serialization.shard_size;
      const algorithm = shardNames === "reference" ? `sha256-sharded-${bytes}` : "sha256";
      resources.push(await digestShards(dir, path, { bytes, algorithm }));
    } else {
      const digest = digests.get(path) ?? (await digestFile(join(dir, path))).digest;
      resources.push([{ name: path, digest: digest.slice("sha256:".length), algorithm: "sha256" }]);
    }
  }
  return resources.flat().sort((a, b) => compareCodePoints(a.name, b.name));
}

/** The digest over all resources: SHA-256 of their digests' bytes, in hex. */
export function rootDigest(resources: readonly Resource[]): string {
  const hash = createHash("sha256");
  for (const { digest } of resources) hash.update(Buffer.from(digest, "hex"));
  return hash.digest("hex");
}

/** Order by Unicode code points; `<` alone would order by UTF-16 units. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** One resource for every `bytes` of a file; an empty file has none. */
async function digestShards(
  dir: string,
  path: string,
  { bytes, algorithm }: { bytes: number; algorithm: string },
): Promise<Resource[]> {
  const resources: Resource[] = [];
  let hash = createHash("sha256");
  let start = 0;
  let end = 0;
  const finish = () => {
    resources.push({ name: `${path}:${start}:${end}`, digest: hash.digest("hex"), algorithm });
    hash = createHash("sha256");
    start = end;
  };
  await readSteadily(join(dir, path), (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + Math.min(chunk.length - at, start + bytes - end));
      hash.update(part);
      at += part.length;
      end += part.length;
      if (end - start === bytes) finish();
    }
  });
  if (end > start) finish();
  return resources;
}
