import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { readPolicies } from "../release/policies.ts";
import { faultNames, isFaultName } from "../simulate/fault.ts";
import { modelled } from "../simulate/latencies.ts";
import { simulateMany } from "../simulate/many.ts";
import { simulationTable } from "../simulate/page.ts";
import { parseTrace, replayed, type Trace } from "../simulate/trace.ts";
import { DeployError } from "../spec/error.ts";
import { type Policies, RolloutPolicy, type Strategy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";

const Rate = z.coerce.number().min(0).lt(1);
const Options = z.object({
  policy: z.string().optional(),
  strategy: z.string().optional(),
  fault: z.array(z.string()).optional(),
  runs: z.coerce.number().int().min(1).max(100_000),
  rate: z.coerce.number().positive().max(10_000).optional(),
  errors: Rate.optional(),
  noise: Rate,
  median: z.coerce.number().positive(),
  trace: z.array(z.string()).max(2).optional(),
  seed: z.coerce.number().int().nonnegative(),
});
type Options = z.infer<typeof Options>;

/** A site that nobody made up traffic for: a rate that a small service has, and a day with its height and depth. */
const ownTraffic = { ratePerSecond: 100, swing: 0.33 };

export function register(program: Command): void {
  addCommand(
    program,
    "simulate",
    {
      description:
        "Simulate rollouts on a virtual clock: how often an equal canary would be taken back, and how surely a bad one.",
      example: "sluice simulate --strategy default --fault none --fault errors-1-percent --runs 2000",
    },
    (command) =>
      command
        .option("--policy <file>", "a rollout policy (default: the policies' own rollout.yaml)")
        .option("--strategy <name>", "a strategy of it (default: the environment's)")
        .option("--fault <name...>", `one or more of: ${faultNames.join(", ")} (default: all)`)
        .option("--runs <count>", "rollouts for each fault", "200")
        .option(
          "--rate <per second>",
          "requests per second of the whole site (default: the environment's, or the trace's)",
        )
        .option(
          "--errors <rate>",
          "error rate 0..1 of both arms without a fault (default: half of what the SLO allows)",
        )
        .option("--noise <rate>", "chance 0..1 that one release answers a request otherwise than before", "0")
        .option("--median <ms>", "median latency in milliseconds of a modelled site", "5")
        .option(
          "--trace <file...>",
          "latencies of a recorded site instead, or of two recorded at the same time (sluice trace)",
        )
        .option("--seed <number>", "the same seed gives the same figures", "1"),
    async (options) => {
      const { policiesDir, environment } = placeOf(options);
      const wanted = parseOptions(Options, options);
      const policies = await readPolicies(policiesDir, environment);
      const { name, strategy } = await strategyOf(wanted, join(policiesDir, "rollout.yaml"), policies);
      const site = siteOf(wanted, policies, await Promise.all((wanted.trace ?? []).map(readTrace)));
      const { runs, seed } = wanted;
      const tallies = faultsOf(wanted.fault).map((fault) =>
        simulateMany(fault, { strategy, slo: policies.slo, site, runs, seed }),
      );
      return { exit: exitCodes.done, json: { strategy: name, site, seed, tallies }, text: simulationTable(tallies) };
    },
  );
}

async function strategyOf(
  wanted: Options,
  own: string,
  policies: Policies,
): Promise<{ name: string; strategy: Strategy }> {
  if (wanted.policy === undefined && wanted.strategy === undefined) {
    return { name: policies.environment.strategy, strategy: policies.strategy };
  }
  const path = wanted.policy ?? own;
  const { strategies } = await readYaml(path, RolloutPolicy);
  const name = wanted.strategy ?? policies.environment.strategy;
  const strategy = strategies[name];
  if (strategy !== undefined) return { name, strategy };
  throw new DeployError(
    "E_USAGE",
    `Cannot find strategy ${name} in ${path}: known are ${Object.keys(strategies).join(", ")}`,
  );
}

function siteOf({ rate, errors, noise, median, strategy }: Options, policies: Policies, traces: readonly Trace[]) {
  const { traffic } = policies.environment;
  const shape = traffic === undefined || strategy !== undefined ? ownTraffic : { ...traffic, swing: 0 };
  return {
    ratePerSecond: rate ?? traces[0]?.ratePerSecond ?? shape.ratePerSecond,
    swing: shape.swing,
    errorRate: errors ?? policies.slo.maxErrorRate / 2,
    noiseRate: noise,
    latencies: traces.length === 0 ? modelled(median) : replayed(traces),
  };
}

async function readTrace(path: string): Promise<Trace> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new DeployError("E_FILE", `Cannot read trace ${path}: it does not exist or is not readable`, { cause });
  });
  return parseTrace(text, path);
}

function faultsOf(names: readonly string[] = faultNames) {
  return names.map((name) => {
    if (isFaultName(name)) return name;
    throw new DeployError("E_USAGE", `Cannot simulate ${name}: expected one of ${faultNames.join(", ")}`);
  });
}
