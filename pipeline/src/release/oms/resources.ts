import { createHash } from "node:crypto";
import { join } from "node:path";
import { DeployError } from "../../spec/error.ts";
import { type Resource, Serialization } from "../../spec/oms.ts";
import { mapLanes } from "../lanes.ts";
import { readSteadily } from "../steady.ts";
import { type FolderLimits, listFolder } from "../walk.ts";

const lanes = 4;

/** What no OMS signature covers: the signature itself, and git's own files at the top. */
export const ignoredPaths: readonly string[] = [".git", ".gitattributes", ".github", ".gitignore", "model.sig"];

/** How a folder is signed unless told: one resource a file. */
export const wholeFiles: Serialization = Serialization.parse({
  method: "files",
  hash_type: "sha256",
  allow_symlinks: false,
  ignore_paths: ignoredPaths,
});

/**
 * The resources of a model folder in the specification's order, read as `serialization` says. Throws `E_DIGEST` naming what
 * cannot be signed, such as a link.
 */
export async function readResources(
  dir: string,
  serialization: Serialization,
  limits?: FolderLimits,
): Promise<Resource[]> {
  const { files, refused } = await listFolder(dir, limits);
  if (refused.length > 0) throw new DeployError("E_DIGEST", `Cannot read ${dir}: ${refused.slice(0, 5).join("; ")}`);
  const ignored = [...ignoredPaths, ...(serialization.ignore_paths ?? [])];
  const covered = files.filter(({ path }) => !ignored.some((entry) => path === entry || path.startsWith(`${entry}/`)));
  const shardBytes = serialization.method === "shards" ? serialization.shard_size : undefined;
  const resources = await mapLanes(covered, lanes, ({ path }) => digestShards(dir, path, shardBytes));
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

/** One resource for the whole file, or for every `shardBytes` of it; an empty file has no shard. */
async function digestShards(dir: string, path: string, shardBytes?: number): Promise<Resource[]> {
  const algorithm = shardBytes === undefined ? "sha256" : `sha256-sharded-${shardBytes}`;
  const resources: Resource[] = [];
  let hash = createHash("sha256");
  let start = 0;
  let end = 0;
  const finish = () => {
    const name = shardBytes === undefined ? path : `${path}:${start}:${end}`;
    resources.push({ name, digest: hash.digest("hex"), algorithm });
    hash = createHash("sha256");
    start = end;
  };
  await readSteadily(join(dir, path), (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + Math.min(chunk.length - at, start + (shardBytes ?? Infinity) - end));
      hash.update(part);
      at += part.length;
      end += part.length;
      if (end - start === shardBytes) finish();
    }
  });
  if (shardBytes === undefined || end > start) finish();
  return resources;
}
