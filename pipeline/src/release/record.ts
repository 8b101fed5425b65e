import { join } from "node:path";
import { replaceFile } from "../rollout/durable.ts";
import { readJson } from "../spec/read.ts";
import { ReleaseRecord } from "../spec/release.ts";

/** Keeps what admitted a release beside its staged copy. */
export async function writeRecord(releasesDir: string, record: ReleaseRecord): Promise<void> {
  await replaceFile(join(releasesDir, record.release.id, "record.json"), `${JSON.stringify(record, null, 2)}\n`);
}

/** The record of a staged release; throws `E_FILE` when it was never admitted. */
export function readRecord(releasesDir: string, id: string): Promise<ReleaseRecord> {
  return readJson(join(releasesDir, id, "record.json"), ReleaseRecord);
}
