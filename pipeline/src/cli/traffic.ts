import { join } from "node:path";
import { readManifest } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { Golden } from "../spec/golden.ts";
import { readJson } from "../spec/read.ts";
import { goldenRequests, type LoadRequest } from "../stage/load/request.ts";
import { startTraffic, type Traffic } from "../stage/load/traffic.ts";
import type { Host } from "./host.ts";

/** The golden inputs of a model folder as requests. */
export async function requestsOf(modelDir: string): Promise<LoadRequest[]> {
  const { manifest } = await readManifest(modelDir);
  return goldenRequests(manifest.name, await readJson(join(modelDir, manifest.golden), Golden));
}

/** Starts the environment's made-up traffic, when its policy has some: inputs that the stable release answers too. */
export async function startSyntheticTraffic(host: Host, address: string): Promise<Traffic | undefined> {
  const { traffic, bootstrap } = host.policies.environment;
  if (traffic === undefined) return undefined;
  const requests = await requestsOf(await findModel(host.place.modelsDir, bootstrap));
  return startTraffic({ url: address, key: host.keys.key, requests, ratePerSecond: traffic.ratePerSecond });
}
