import { join } from "node:path";
import type { Digest } from "../spec/digest.ts";
import { readJson } from "../spec/read.ts";
import { type Release, ReleaseFiles } from "../spec/release.ts";
import { digestList } from "./digest.ts";
import { compareFolder } from "./listed.ts";

type Part = "bundle" | "policies";

/**
 * Says in words where folder `part` of the staged release in `place` is not as the release's digest says, file by file;
 * empty when it is. The list that names the files is held against that digest first. Throws `E_FILE` for no such list.
 */
export async function comparePart(place: string, part: Part, release: Release): Promise<string[]> {
  const { [part]: files } = await readJson(join(place, "files.json"), ReleaseFiles);
  const digest = digestList(files);
  const wanted = digestOf(part, release);
  if (digest !== wanted) return [`files.json: its ${part} give ${digest}, release says ${wanted}`];
  const differences = await compareFolder(join(place, part), { says: "files.json", files });
  return differences.map((words) => `${part}/${words}`);
}

function digestOf(part: Part, { code, policy }: Release): Digest {
  return part === "bundle" ? code.digest : policy.digest;
}
