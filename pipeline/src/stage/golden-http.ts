import { join } from "node:path";
import { agreeCase } from "../release/agree.ts";
import { readManifest } from "../release/folder.ts";
import { DeployError } from "../spec/error.ts";
import { Golden } from "../spec/golden.ts";
import { readJson } from "../spec/read.ts";
import { predict } from "./predict.ts";

/**
 * Asks the revision at `address` every golden question of the model in `modelDir` and compares the answers within the
 * manifest's tolerance. Throws `E_GATE` with the first disagreement, `E_TOOL` when the revision cannot be reached.
 */
export async function replayOverHttp(address: string, key: string, modelDir: string): Promise<void> {
  const { manifest } = await readManifest(modelDir);
  const golden = await readJson(join(modelDir, manifest.golden), Golden);
  const asked = { address, key, model: manifest.name, timeoutMs: 10_000 };
  for (const one of golden.cases) {
    const answer = await predict(asked, one.request);
    if ("status" in answer) throw refused(`golden case ${one.name}: status is ${answer.status}, expected 200`);
    const { disagreement } = agreeCase(one, { response: answer.output }, manifest.tolerance);
    if (disagreement !== undefined) throw refused(disagreement);
  }
}

function refused(reason: string): DeployError {
  return new DeployError("E_GATE", `Cannot give the canary traffic: ${reason}`);
}
