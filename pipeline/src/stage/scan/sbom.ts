import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DeployError } from "../../spec/error.ts";
import { readJson } from "../../spec/read.ts";
import type { ScanPolicy, ScanTarget } from "../../spec/scan.ts";
import { Bom } from "../../spec/trivy.ts";
import { runTool } from "../tool.ts";
import { sbomArgv } from "./argv.ts";

/** Writes the CycloneDX bill of materials of `target` to `output`; returns how many components it lists. Throws `E_TOOL`. */
export async function writeSbom(
  target: ScanTarget,
  policy: ScanPolicy,
  { output, trivy = "trivy" }: { output: string; trivy?: string },
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-sbom-"));
  try {
    const subject = { ...target, path: resolve(target.path) };
    const argv = sbomArgv(subject, policy, { output: resolve(output), cache: join(folder, "cache") });
    const ran = await runTool(trivy, argv, { timeoutMs: policy.timeoutSeconds * 1000, cwd: folder });
    if (ran.outcome === "missing") throw new DeployError("E_TOOL", "Cannot list components: trivy is not on the PATH");
    if (ran.exitCode !== 0) {
      throw new DeployError(
        "E_TOOL",
        `Cannot list components: trivy ${ran.outcome} ${ran.exitCode}: ${ran.stderr.trim()}`,
      );
    }
    return (await readJson(output, Bom)).components.length;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
