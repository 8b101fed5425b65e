import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { readPolicies } from "../release/policies.ts";
import { faultNames, isFaultName } from "../simulate/fault.ts";
import { simulateMany } from "../simulate/many.ts";
import { simulationTable } from "../simulate/page.ts";
import { DeployError } from "../spec/error.ts";
import { RolloutPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";

const Options = z.object({
  strategy: z.string().optional(),
  fault: z.array(z.string()).optional(),
  runs: z.coerce.number().int().min(1).max(100_000),
  rate: z.coerce.number().positive().max(10_000).optional(),
  median: z.coerce.number().positive(),
  seed: z.coerce.number().int().nonnegative(),
});

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
        .option("--strategy <name>", "a strategy of policies/rollout.yaml (default: the environment's)")
        .option("--fault <name...>", `one or more of: ${faultNames.join(", ")} (default: all)`)
        .option("--runs <count>", "rollouts for each fault", "200")
        .option("--rate <per second>", "requests per second of the whole site (default: the environment's traffic)")
        .option("--median <ms>", "median latency in milliseconds", "5")
        .option("--seed <number>", "the same seed gives the same figures", "1"),
    async (options) => {
      const { policiesDir, environment } = placeOf(options);
      const wanted = parseOptions(Options, options);
      const policies = await readPolicies(policiesDir, environment);
      const path = join(policiesDir, "rollout.yaml");
      const { strategies } = await readYaml(path, RolloutPolicy);
      const name = wanted.strategy ?? policies.environment.strategy;
      const strategy = strategies[name];
      if (strategy === undefined) throw unknownStrategy(name, path, Object.keys(strategies));
      const { traffic } = policies.environment;
      const shape = traffic === undefined || wanted.strategy !== undefined ? ownTraffic : { ...traffic, swing: 0 };
      const ratePerSecond = wanted.rate ?? shape.ratePerSecond;
      const errorRate = policies.slo.maxErrorRate / 2;
      const site = { ratePerSecond, swing: shape.swing, errorRate, medianMs: wanted.median };
      const { runs, seed } = wanted;
      const tallies = faultsOf(wanted.fault).map((fault) =>
        simulateMany(fault, { strategy, slo: policies.slo, site, runs, seed }),
      );
      return { exit: exitCodes.done, json: { strategy: name, site, seed, tallies }, text: simulationTable(tallies) };
    },
  );
}

function unknownStrategy(name: string, path: string, known: readonly string[]): DeployError {
  return new DeployError("E_USAGE", `Cannot find strategy ${name} in ${path}: known are ${known.join(", ")}`);
}

function faultsOf(names: readonly string[] = faultNames) {
  return names.map((name) => {
    if (isFaultName(name)) return name;
    throw new DeployError("E_USAGE", `Cannot simulate ${name}: expected one of ${faultNames.join(", ")}`);
  });
}
