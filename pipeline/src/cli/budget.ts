import { join } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import { z } from "zod";
import { sayBudget } from "../decide/budget.ts";
import { grafanaDashboard } from "../decide/dashboard.ts";
import { exitOfVerdict } from "../decide/exit.ts";
import { prometheusRules } from "../decide/rules.ts";
import { readPolicies } from "../release/policies.ts";
import { SloPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import { explain } from "../spec/verdict.ts";
import { addCommand } from "./command.ts";
import { currentBudget } from "./error-budget.ts";
import { type Place, parseOptions, placeOf } from "./options.ts";

const Options = z.object({ prometheus: z.url().optional() });

export function register(program: Command): void {
  registerBudget(program);
  registerDashboard(program);
  addCommand(
    program,
    "rules",
    {
      description: "Prints Prometheus rules made of slo.yaml: recording rules, burn-rate and latency alerts.",
      example: "sluice rules > /etc/prometheus/rules/sluice.yaml",
    },
    (command) => command,
    async (options) => {
      const rules = prometheusRules(await readSlo(placeOf(options)));
      return { exit: 0, json: rules, text: stringify(rules, { lineWidth: 0 }).trimEnd() };
    },
  );
}

function registerDashboard(program: Command): void {
  addCommand(
    program,
    "dashboard",
    {
      description: "Prints a Grafana dashboard of the service's metrics, with the limits of slo.yaml as lines.",
      example: "sluice dashboard > sluice.json",
    },
    (command) => command,
    async (options) => {
      const dashboard = grafanaDashboard(await readSlo(placeOf(options)));
      return { exit: 0, json: dashboard, text: JSON.stringify(dashboard, undefined, 2) };
    },
  );
}

function registerBudget(program: Command): void {
  addCommand(
    program,
    "budget",
    {
      description:
        "How much of the error budget is left? From Prometheus, or from the target's own history. Exit 3: it is spent, and blocks releases.",
      example: "sluice budget --prometheus http://127.0.0.1:9090",
    },
    (command) => command.option("--prometheus <address>", "ask this Prometheus (default: the environment's)"),
    async (options) => {
      const place = placeOf(options);
      const policies = await readPolicies(place.policiesDir, place.environment);
      const reading = await currentBudget({ policies, place }, parseOptions(Options, options));
      const reason = explain(reading.verdict);
      const text = reason === "" ? sayBudget(reading) : `${sayBudget(reading)}\n${reason}`;
      return { exit: exitOfVerdict(reading.verdict), json: { model: policies.environment.model, ...reading }, text };
    },
  );
}

function readSlo(place: Place): Promise<SloPolicy> {
  return readYaml(join(place.policiesDir, "slo.yaml"), SloPolicy);
}
