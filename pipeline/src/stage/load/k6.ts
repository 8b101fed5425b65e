import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { judgeK6, k6Metrics, k6Options, k6Quantile } from "../../decide/k6.ts";
import { DeployError } from "../../spec/error.ts";
import { type K6Plan, K6Summary } from "../../spec/k6.ts";
import type { LoadFacts } from "../../spec/load.ts";
import { readJson } from "../../spec/read.ts";
import type { Report } from "../../spec/report.ts";
import { runTool, type ToolRun } from "../tool.ts";
import type { LoadInput } from "./load.ts";
import { type Measured, reportLoad } from "./report.ts";

/** The script that k6 runs; k6 >= 1.0 reads TypeScript as it is. */
const script = fileURLToPath(new URL("../../../../test/load/k6.ts", import.meta.url));

/** The files of one run. */
export interface K6Files {
  plan: string;
  key: string;
  summary: string;
}

/** The load stage with the user's own k6 from the PATH; no k6 is an error, not a pass. */
export function loadWithK6(input: LoadInput, program = "k6"): Promise<Report> {
  return reportLoad(input.subject, input.slo, async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-k6-"));
    try {
      return await measure(input, program, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** The arguments of k6. The key is in a file: an argument can be seen by every user of the machine. */
export function k6Args(files: K6Files): string[] {
  const env = { SLUICE_PLAN: files.plan, SLUICE_KEY_FILE: files.key, SLUICE_SUMMARY: files.summary };
  const pairs = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return ["run", "--quiet", "--no-color", "--no-usage-report", ...pairs, script];
}

/** What the script reads. k6 sends text only. */
export function k6Plan({ url, requests, profile, slo }: LoadInput): K6Plan {
  return {
    schema: "sluice/k6-plan/v1",
    url,
    timeout: `${profile.timeoutMs}ms`,
    requests: requests.map(({ path, contentType, body }) => {
      if (typeof body !== "string") {
        throw new DeployError("E_USAGE", `Cannot drive ${path} with k6: body is bytes, expected text`);
      }
      return { path, contentType, body };
    }),
    metrics: k6Metrics,
    quantiles: slo.latency.map(({ quantile }) => ({ quantile, stat: k6Quantile(quantile) })),
    options: k6Options(profile, slo),
  };
}

/** Our words for k6's numbers. It measures service time, and shows a late start as a dropped arrival. */
function k6Facts(summary: K6Summary, seconds: number): LoadFacts {
  const { requests, errors, dropped, quantiles } = summary;
  return {
    driver: "k6",
    processes: 1,
    seconds,
    planned: requests + dropped,
    dropped,
    requests,
    errors,
    errorKinds: errors > 0 ? { failed: errors } : {},
    ratePerSecond: requests / seconds,
    lagP99Ms: null,
    response: quantiles,
    service: quantiles,
    distribution: [],
    stable: null,
    comparison: null,
    memory: null,
  };
}

async function measure(input: LoadInput, program: string, folder: string): Promise<Measured> {
  const { profile, slo } = input;
  const files = { plan: join(folder, "plan.json"), key: join(folder, "key"), summary: join(folder, "summary.json") };
  await writeFile(files.plan, JSON.stringify(k6Plan(input)));
  await writeFile(files.key, input.key, { mode: 0o600 });
  const timeoutMs = (profile.warmupSeconds + profile.seconds + 60) * 1000 + profile.timeoutMs;
  const run = await runTool(program, k6Args(files), { timeoutMs });
  const exitCode = exitCodeOf(run, program);
  const summary = await readSummary(files.summary, run);
  const facts = k6Facts(summary, profile.seconds);
  return { facts, checks: judgeK6({ exitCode, summary, facts }, slo, profile) };
}

function exitCodeOf(run: ToolRun, program: string): number {
  if (run.outcome === "exited") return run.exitCode;
  const state = run.outcome === "missing" ? "it is not on the PATH" : `it ${run.outcome}`;
  throw new DeployError(
    "E_TOOL",
    `Cannot measure load with ${program}: ${state}; next: install k6, or leave out --driver k6`,
  );
}

async function readSummary(path: string, run: ToolRun): Promise<K6Summary> {
  try {
    return await readJson(path, K6Summary);
  } catch (cause) {
    const said = run.stderr.trim().split("\n").slice(-3).join(" ");
    throw new DeployError("E_TOOL", `Cannot measure load: k6 exited ${run.exitCode} without a summary: ${said}`, {
      cause,
    });
  }
}
