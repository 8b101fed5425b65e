import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { replaceFile } from "../../rollout/durable.ts";
import { readJson } from "../../spec/read.ts";
import { Samples } from "../../spec/sample.ts";
import { SiteFile } from "../../spec/site.ts";

/** What an earlier site kept, or undefined on a new one. */
export async function readFileOfSite(path: string): Promise<SiteFile | undefined> {
  return existsSync(path) ? readJson(path, SiteFile) : undefined;
}

export async function keepFile(path: string, file: SiteFile): Promise<void> {
  await replaceFile(path, `${JSON.stringify(file, null, 2)}\n`);
}

/** What an earlier site had told of its samples. */
export async function readSamples(path: string): Promise<Samples> {
  return existsSync(path) ? readJson(path, Samples) : {};
}

/** Whole or not at all, as far as a killed process goes; after a power cut counts may begin anew, so nothing is synced. */
export async function keepSamples(path: string, samples: Samples): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  await writeFile(temporary, JSON.stringify(samples), { mode: 0o600 });
  await rename(temporary, path);
}
