import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BreakingRule, type Change, judgeChanges, manifestChanges } from "../../decide/compatibility.ts";
import type { Consumer } from "../../spec/consumers.ts";
import { DeployError } from "../../spec/error.ts";
import type { Manifest } from "../../spec/manifest.ts";
import { OasdiffChanges } from "../../spec/oasdiff.ts";
import { parseJson } from "../../spec/read.ts";
import type { Check } from "../../spec/report.ts";
import { runTool } from "../tool.ts";
import { unversioned } from "./unversioned.ts";

/** A service's description as text, and the model that it serves. */
export interface Side {
  openapi: string;
  manifest: Manifest;
}

/**
 * What else the judgement needs. `program` is oasdiff's name or path; where it is missing, and `required` is false, the
 * APIs are not compared.
 */
export interface CompatibilityRules {
  required: boolean;
  rule: BreakingRule;
  consumers: Consumer[];
  program?: string;
}

const breaking = 3;

/** Holds the candidate against stable: would stable's clients still understand it? */
export async function compatibility(stable: Side, candidate: Side, rules: CompatibilityRules): Promise<Check[]> {
  const versions = { stable: stable.manifest.version, candidate: candidate.manifest.version };
  const tensors = manifestChanges(stable.manifest, candidate.manifest);
  const api = await judgeApi(stable, candidate, versions, rules);
  return [
    ...(api === undefined ? [] : [{ name: "the API breaks no client of stable", verdict: api }]),
    { name: "the tensors break no client of stable", verdict: judgeChanges(tensors, versions, rules) },
  ];
}

/** Undefined: not compared, and it need not be. */
async function judgeApi(
  stable: Side,
  candidate: Side,
  versions: { stable: string; candidate: string },
  rules: CompatibilityRules,
): Promise<Check["verdict"] | undefined> {
  const [before, after] = [stable, candidate].map(({ openapi, manifest }) => unversioned(openapi, manifest.version));
  const program = rules.program ?? "oasdiff";
  try {
    const changes = await apiChanges(before ?? "", after ?? "", program);
    if (changes !== undefined) return judgeChanges(changes, versions, rules);
    if (!rules.required) return undefined;
    return { kind: "error", reason: `Cannot compare APIs: ${program} is not on the PATH; next: install oasdiff` };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { kind: "error", reason: error.message };
  }
}

/** Asks oasdiff for the differences that break clients, on the request's and on the answer's side; undefined without oasdiff. */
async function apiChanges(stable: string, candidate: string, program: string): Promise<Change[] | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-oasdiff-"));
  try {
    const paths = [join(folder, "stable.json"), join(folder, "candidate.json")];
    await writeFile(paths[0] ?? "", stable);
    await writeFile(paths[1] ?? "", candidate);
    const run = await runTool(program, ["breaking", ...paths, "--format", "json"], { timeoutMs: 60_000 });
    if (run.outcome === "missing") return undefined;
    if (run.exitCode !== 0) {
      throw new DeployError("E_TOOL", `Cannot compare APIs: oasdiff exited ${run.exitCode}: ${run.stderr.trim()}`);
    }
    return parseJson(run.stdout, OasdiffChanges, "oasdiff's output")
      .filter(({ level }) => level >= breaking)
      .map(({ operation, path, text }) => ({ operation: [operation, path].filter(Boolean).join(" "), text }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
