import { join } from "node:path";
import { replaceFile } from "../rollout/durable.ts";
import { DeployError } from "../spec/error.ts";
import { readJson } from "../spec/read.ts";
import { ReleaseRecord } from "../spec/release.ts";

/** Keeps what admitted a release beside its staged copy. */
export async function writeRecord(releasesDir: string, record: ReleaseRecord): Promise<void> {
  await replaceFile(join(releasesDir, record.release.id, "record.json"), `${JSON.stringify(record, null, 2)}\n`);
}

/** The record of a staged release; throws `E_FILE` when it was never admitted, `E_DIGEST` when the record is of another. */
export async function readRecord(releasesDir: string, id: string): Promise<ReleaseRecord> {
  const path = join(releasesDir, id, "record.json");
  const record = await readJson(path, ReleaseRecord);
  if (record.release.id === id) return record;
  throw new DeployError("E_DIGEST", `Cannot use ${path}: it is of release ${record.release.id}, expected ${id}`);
}
