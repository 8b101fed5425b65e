import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import type { Scope } from "../../pipeline/src/spec/keys.ts";
import { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { readConfig } from "../../service/src/config.ts";
import { startService } from "../../service/src/service.ts";

/** Keys of a test service, by their only scopes; `local` predicts and reads, as a rollout's key does. */
const holders: Record<string, Scope[]> = {
  local: ["predict", "read"],
  predictor: ["predict"],
  reader: ["read"],
  scraper: ["metrics"],
};

/** The real service in this process, on a free port of loopback. */
export interface Candidate {
  url: string;
  key: string;
  otherKeys: { name: string; key: string; scopes: Scope[] }[];
  manifest: Manifest;
  golden: Golden;
  stop: () => Promise<void>;
}

/** Starts the service with the model of one folder. */
export async function aCandidate(modelDir: string): Promise<Candidate> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-service-"));
  const held = Object.entries(holders).map(([name, scopes]) => ({ name, key: newKey(name), scopes }));
  const keys = held.map(({ name, key, scopes }) => ({ id: name, digest: digestKey(key), scopes }));
  await writeFile(join(dir, "keys.json"), JSON.stringify({ schema: "sluice/keys/v1", keys }));
  const config = readConfig({ SLUICE_MODELS: modelDir, SLUICE_KEYS: join(dir, "keys.json") });
  const service = await startService(config, { write: () => {}, flush: () => {} });
  await service.ready;
  return {
    url: `http://127.0.0.1:${service.port}`,
    key: held[0]?.key ?? "",
    otherKeys: held,
    manifest: await readJson(join(modelDir, "manifest.json"), Manifest),
    golden: await readJson(join(modelDir, "golden.json"), Golden),
    async stop() {
      await service.drain();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
