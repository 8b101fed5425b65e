import { join } from "node:path";
import { z } from "zod";
import { readManifest } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { Golden } from "../spec/golden.ts";
import { readJson } from "../spec/read.ts";
import { goldenRequests } from "../stage/load/request.ts";
import { startTraffic, type Traffic } from "../stage/load/traffic.ts";
import type { Host } from "./host.ts";

/** Of an environment whose policy has no traffic of its own. */
const requestsPerSecond = 40;

/** `--traffic`: what a rollout does about requests that nobody sends. */
export const traffic = z.enum(["synthetic"], "expected synthetic").optional();
export const trafficOption = [
  "--traffic <kind>",
  "synthetic: send the golden inputs through the router while the rollout runs",
] as const;

/** The host as if its environment's policy had made-up traffic, when that was asked for. */
export function withTraffic(host: Host, kind: z.infer<typeof traffic>): Host {
  const { environment } = host.policies;
  if (kind === undefined || environment.traffic !== undefined) return host;
  const made = { ...environment, traffic: { kind, ratePerSecond: requestsPerSecond } };
  return { ...host, policies: { ...host.policies, environment: made } };
}

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
