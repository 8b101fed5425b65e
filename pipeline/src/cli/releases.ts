import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readRecord } from "../release/record.ts";
import { DeployError } from "../spec/error.ts";
import type { ReleaseRecord } from "../spec/release.ts";
import type { Place } from "./options.ts";

/** Where the staged releases of a place are. */
export function releasesDir(place: Place): string {
  return join(place.stateDir, "releases");
}

/** The record of a release by its id; throws `E_USAGE` with the known ones. */
export async function findRecord(place: Place, id: string): Promise<ReleaseRecord> {
  const known = (await readdir(releasesDir(place)).catch(() => [])).filter((name) =>
    /^[a-z].*-[0-9a-f]{12}$/.test(name),
  );
  if (known.includes(id)) return readRecord(releasesDir(place), id);
  throw new DeployError("E_USAGE", `Cannot find release ${id}: known are ${known.toSorted().join(", ") || "none"}`);
}
