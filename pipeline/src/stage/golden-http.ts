import { join } from "node:path";
import { z } from "zod";
import { agreeCase } from "../release/agree.ts";
import { readManifest } from "../release/folder.ts";
import { DeployError } from "../spec/error.ts";
import { Golden } from "../spec/golden.ts";
import { parseJson, readJson } from "../spec/read.ts";

const Answer = z.object({ output: z.json() });

/**
 * Asks the revision at `address` every golden question of the model in `modelDir` and compares the answers within the
 * manifest's tolerance. Throws `E_GATE` with the first disagreement, `E_TOOL` when the revision cannot be reached.
 */
export async function replayOverHttp(address: string, key: string, modelDir: string): Promise<void> {
  const { manifest } = await readManifest(modelDir);
  const golden = await readJson(join(modelDir, manifest.golden), Golden);
  const url = new URL(`/v1/models/${manifest.name}/predict`, address);
  for (const one of golden.cases) {
    const { status, text } = await ask(url, key, one.request);
    if (status !== 200) {
      throw new DeployError(
        "E_GATE",
        `Cannot give the canary traffic: golden case ${one.name}: status is ${status}, expected 200`,
      );
    }
    const { output } = parseJson(text, Answer, url.href);
    const { disagreement } = agreeCase(one, { response: output }, manifest.tolerance);
    if (disagreement !== undefined) throw new DeployError("E_GATE", `Cannot give the canary traffic: ${disagreement}`);
  }
}

async function ask(url: URL, key: string, request: unknown): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new DeployError("E_TOOL", `Cannot replay golden cases at ${url.origin}: ${String(cause)}`, { cause });
  }
}
