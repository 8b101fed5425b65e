import { join } from "node:path";
import { readManifest } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { Golden } from "../spec/golden.ts";
import { readJson } from "../spec/read.ts";
import { goldenRequests } from "../stage/load/request.ts";
import { startTraffic, type Traffic } from "../stage/load/traffic.ts";
import type { Host } from "./host.ts";

/** Real requests that the environment's first release answers: its golden cases. */
export async function knownRequests(host: Host): Promise<Golden> {
  return goldenOf(await findModel(host.place.modelsDir, host.policies.environment.bootstrap));
}

/** The golden cases of a model folder. */
export async function goldenOf(modelDir: string): Promise<Golden> {
  const { manifest } = await readManifest(modelDir);
  return readJson(join(modelDir, manifest.golden), Golden);
}

/** Starts the environment's made-up traffic, when its policy has some. */
export function startSyntheticTraffic(host: Host, address: string, golden: Golden): Traffic | undefined {
  const { traffic, model } = host.policies.environment;
  if (traffic === undefined) return undefined;
  const requests = goldenRequests(model, golden);
  return startTraffic({ url: address, key: host.keys.key, requests, ratePerSecond: traffic.ratePerSecond });
}
