import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { plan } from "../decide/plan.ts";
import { readPolicies } from "../release/policies.ts";
import { renderPlan } from "../report/plan.ts";
import { DeployError } from "../spec/error.ts";
import { SloPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";

const Options = z.object({ rate: z.coerce.number().positive().max(1_000_000).optional() });

export function register(program: Command): void {
  addCommand(
    program,
    "plan",
    {
      description:
        "What a rollout of the environment would do: its steps, how long they take, what each verdict needs, and what a broken canary would cost.",
      example: "sluice plan --rate 200",
    },
    (command) =>
      command.option(
        "--rate <per second>",
        "requests per second of the whole site (default: the environment's traffic)",
      ),
    async (options) => {
      const { policiesDir, environment: name } = placeOf(options);
      const { environment, strategy, slo } = await readPolicies(policiesDir, name);
      const { budgetDays } = await readYaml(join(policiesDir, "slo.yaml"), SloPolicy);
      const ratePerSecond = parseOptions(Options, options).rate ?? environment.traffic?.ratePerSecond;
      if (ratePerSecond === undefined) {
        throw new DeployError("E_USAGE", `Cannot plan for ${name}: its traffic is not known; next: add --rate`);
      }
      const planned = plan(strategy, { slo, ratePerSecond, budgetDays });
      const setting = { strategy: environment.strategy, ratePerSecond, budgetDays };
      return {
        exit: exitCodes.done,
        json: { ...setting, ...planned },
        text: renderPlan(planned, setting, coloursFor(process.stdout)),
      };
    },
  );
}
