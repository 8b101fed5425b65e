import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { temporaryFolder } from "./folder.ts";

export const root = resolve(import.meta.dir, "../..");

export interface CliResult {
  exit: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the real command line on folder `source`. */
export function startCli(source: string, ...args: string[]): { child: ChildProcess; result: Promise<CliResult> } {
  const { SLUICE_HOME: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(root, "pipeline/src/cli.ts"), ...args, "--source", source], { env });
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    text.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text.stderr += chunk;
  });
  const result = once(child, "close").then(([exit]) => ({ exit, ...text }));
  return { child, result };
}

/** Runs the real command line on folder `source` to its end. */
export function sluice(source: string, ...args: string[]): Promise<CliResult> {
  return startCli(source, ...args).result;
}

/** The API key that Sluice made for clients of the folder's own site. */
export async function keyOf(source: string): Promise<string> {
  return (await readFile(join(source, ".sluice/secrets/api-key"), "utf8")).trim();
}

/** Returns once the command has printed `text` to stderr; throws when it ends before. */
export async function untilPrinted({ child, result }: ReturnType<typeof startCli>, text: string): Promise<void> {
  let printed = "";
  const ended = result.then(({ exit, stderr }) => {
    throw new Error(`It ended with ${exit} before it printed ${text}: ${stderr}`);
  });
  while (!printed.includes(text)) {
    if (child.stderr === null) throw new Error("stderr is closed");
    const [chunk] = await Promise.race([once(child.stderr, "data"), ended]);
    printed += chunk;
  }
  ended.catch(() => {});
}

/** Steps that pass in a few seconds, and a judge who lets a machine that is busy with other tests be slow now and then. */
const quickRollout = {
  schema: "sluice/rollout/v1",
  strategies: {
    laptop: {
      lookSeconds: 0.5,
      readySeconds: 30,
      drainSeconds: 5,
      deadlineSeconds: 600,
      cooldownSeconds: 0,
      steps: [
        { weight: 20, seconds: 2, maxSeconds: 30, minRequests: 20 },
        { weight: 50, seconds: 2, maxSeconds: 30, minRequests: 40 },
      ],
      judge: {
        falseAlarm: 0.01,
        ratio: 50,
        latencyQuantiles: [0.5, 0.95],
        evidencePerLook: 20,
        maxChangedRate: 0.04,
        answersPerLook: 2,
      },
    },
  },
};

const quickLoad = {
  schema: "sluice/load/v1",
  profiles: {
    smoke: { ratePerSecond: 20, warmupSeconds: 0, seconds: 3, maxInFlight: 256, timeoutMs: 10_000, maxLagMs: 5_000 },
  },
};

/** Limits that a machine busy with other tests keeps too: what is slow is tested where it can be told for sure. */
const looseSlo = (model: string) => ({
  schema: "sluice/slo/v1",
  budgetDays: 30,
  models: { [model]: { maxErrorRate: 0.001, latency: [{ quantile: 0.5, maxMs: 5_000 }] } },
});

/** A repository that holds only `models/` and `policies/`: copies of the shipped ones, with short steps. Its site is taken down at the end. */
export async function aRepository(...models: string[]): Promise<{ path: string } & AsyncDisposable> {
  const folder = await temporaryFolder();
  await cp(join(root, "policies"), join(folder.path, "policies"), { recursive: true });
  await quicken(join(folder.path, "policies"), "magika");
  for (const model of models) {
    await mkdir(join(folder.path, "models", model), { recursive: true });
    await cp(join(root, "models", model), join(folder.path, "models", model), { recursive: true });
  }
  return {
    path: folder.path,
    [Symbol.asyncDispose]: async () => {
      await sluice(folder.path, "site", "down");
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Short steps, little load and wide limits in place of what the policies said of `model`. */
export async function quicken(policies: string, model: string): Promise<void> {
  await writeFile(join(policies, "rollout.yaml"), stringify(quickRollout));
  await writeFile(join(policies, "load.yaml"), stringify(quickLoad));
  await writeFile(join(policies, "slo.yaml"), stringify(looseSlo(model)));
  await slowDown(join(policies, "environments/local.yaml"));
}

/** As many requests as a machine that runs other tests too can answer. */
async function slowDown(environment: string): Promise<void> {
  const text = await readFile(environment, "utf8");
  await writeFile(environment, text.replace(/ratePerSecond: \d+/, "ratePerSecond: 40"));
}

/** So little traffic that a machine that does other things too answers all of it: then every error is a release's own. */
export async function calmDown(policies: string): Promise<void> {
  const change = async (file: string, from: RegExp, to: string) => {
    const path = join(policies, file);
    await writeFile(path, (await readFile(path, "utf8")).replaceAll(from, to));
  };
  for (const name of ["laptop", "staging"]) {
    await change(`environments/${name}.yaml`, /ratePerSecond: \d+/g, "ratePerSecond: 5");
  }
  await change("load.yaml", /ratePerSecond: \d+/g, "ratePerSecond: 3");
  await change("rollout.yaml", /maxSeconds: \d+/g, "maxSeconds: 120");
}
