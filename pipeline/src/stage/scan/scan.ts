import { mkdtemp, readFile, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { judgeScan } from "../../decide/scan.ts";
import { parseJson } from "../../spec/read.ts";
import type { Report } from "../../spec/report.ts";
import type { ScanFacts, ScanPolicy, ScanTarget } from "../../spec/scan.ts";
import { TrivyDatabase, TrivyReport } from "../../spec/trivy.ts";
import { runTool, type ToolRun } from "../tool.ts";
import { FOUND, scanArgv } from "./argv.ts";
import { foundAnything, readFindings } from "./parse.ts";

/**
 * `trivy` is the program, `cache` the folder with its database, `nowMs` the time since the epoch. `graceMs` is how long
 * after Trivy's own time-out it is killed: its own says more.
 */
export type ScanOptions = {
  target: ScanTarget;
  policy: ScanPolicy;
  trivy?: string;
  cache?: string;
  nowMs?: number;
  graceMs?: number;
};

/** Runs Trivy over `target` and judges what it found. A scan that did not happen is an `error`, never a pass. */
export async function scan(options: ScanOptions): Promise<Report> {
  const { target, policy, nowMs = Date.now() } = options;
  const startedAt = performance.now();
  const facts = await observe(options);
  const { verdict, figure, checks, next } = judgeScan(facts, policy, nowMs);
  return {
    schema: "sluice/report/v1",
    stage: "scan",
    subject: target.kind,
    startedAt: new Date(nowMs).toISOString(),
    durationMs: performance.now() - startedAt,
    verdict,
    figure,
    checks,
    facts: { next, path: target.path, ...facts },
  };
}

async function observe(options: ScanOptions): Promise<ScanFacts> {
  const { target, policy, trivy = "trivy", cache = defaultCache(), graceMs = 10_000 } = options;
  const folder = await mkdtemp(join(tmpdir(), "sluice-scan-"));
  try {
    const output = join(folder, "report.json");
    const subject = { ...target, path: resolve(target.path) };
    const ran = await runTool(trivy, scanArgv(subject, policy, { output, cache: resolve(cache) }), {
      timeoutMs: policy.timeoutSeconds * 1000 + graceMs,
      cwd: folder,
      env: withoutTrivy(process.env),
    });
    const run = { outcome: ran.outcome, exitCode: ran.exitCode, log: lastLines(ran.stderr) };
    const database = await readDatabase(cache);
    return { run, ...(database === undefined ? {} : { database }), ...(await readReport(ran, output)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readReport(
  ran: ToolRun,
  output: string,
): Promise<Pick<ScanFacts, "inventory" | "problem" | "scannerVersion">> {
  if (ran.outcome !== "exited") return {};
  if (ran.exitCode !== 0 && ran.exitCode !== FOUND) {
    return { problem: `trivy exited ${ran.exitCode}: ${lastLines(ran.stderr)}` };
  }
  let report: TrivyReport;
  try {
    report = parseJson(await readFile(output, "utf8"), TrivyReport, "trivy's report");
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
  if (foundAnything(report) !== (ran.exitCode === FOUND)) {
    return { problem: `trivy exited ${ran.exitCode}, which its report contradicts` };
  }
  const version = report.Trivy?.Version;
  return { inventory: readFindings(report), ...(version === undefined ? {} : { scannerVersion: version }) };
}

async function readDatabase(cache: string): Promise<ScanFacts["database"]> {
  try {
    const text = await readFile(join(cache, "db", "metadata.json"), "utf8");
    return { builtAt: parseJson(text, TrivyDatabase, "metadata.json").UpdatedAt, cache };
  } catch {
    return undefined; // none, or none that says its date: the same to a gate
  }
}

/** Trivy takes every flag from the environment too: what a policy says must not be changed there. */
function withoutTrivy(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("TRIVY_")));
}

function defaultCache(): string {
  return process.env.TRIVY_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "trivy");
}

function lastLines(log: string): string {
  return log.trim().split("\n").slice(-3).join(" ").slice(-1000);
}
