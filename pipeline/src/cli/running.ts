import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readManifest } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { DeployError } from "../spec/error.ts";
import { Golden } from "../spec/golden.ts";
import type { Manifest } from "../spec/manifest.ts";
import { readJson } from "../spec/read.ts";
import type { HeldKey } from "../stage/contract/context.ts";
import { type Place, parseOptions } from "./options.ts";

const Options = z.object({ url: z.url(), keyFile: z.string().min(1), limitedKeyFile: z.string().min(1).optional() });

/** A running service that a gate is pointed at, and the model folder that says what it should answer. */
export interface Running {
  url: string;
  key: string;
  otherKeys: HeldKey[];
  manifest: Manifest;
  golden: Golden;
}

/** Reads `--url`, the key files and the model of a gate that runs by itself. Keys come from files, never from arguments. */
export async function runningFrom(place: Place, options: Record<string, unknown>, ref: string): Promise<Running> {
  const { url, keyFile, limitedKeyFile } = parseOptions(Options, options);
  const modelDir = await findModel(place.modelsDir, ref);
  const { manifest } = await readManifest(modelDir);
  return {
    url,
    key: await readKey(keyFile),
    otherKeys: limitedKeyFile === undefined ? [] : [readOnlyKey(await readKey(limitedKeyFile))],
    manifest,
    golden: await readJson(join(modelDir, manifest.golden), Golden),
  };
}

/** A key that may read and not predict: the contract proves that it cannot. */
export function readOnlyKey(key: string): HeldKey {
  return { name: "limited", key, scopes: ["read"] };
}

async function readKey(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (cause) {
    throw new DeployError("E_FILE", `Cannot read key file ${path}: it does not exist or is not readable`, { cause });
  }
}
