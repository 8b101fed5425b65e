import { join } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import { z } from "zod";
import { budgetOf, judgeBudget, type Served, servedBy } from "../decide/budget.ts";
import { grafanaDashboard } from "../decide/dashboard.ts";
import { exitOfVerdict } from "../decide/exit.ts";
import { prometheusRules } from "../decide/rules.ts";
import { readPolicies } from "../release/policies.ts";
import { SloPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import { explain } from "../spec/verdict.ts";
import { servedByPrometheus } from "../stage/budget/prometheus.ts";
import { openSite } from "../target/local/client.ts";
import { addCommand } from "./command.ts";
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
        "How much of the error budget is left? From Prometheus, or from what the local site has counted since its revisions got traffic.",
      example: "sluice budget --prometheus http://127.0.0.1:9090",
    },
    (command) => command.option("--prometheus <address>", "ask this Prometheus about the budget's days"),
    async (options) => {
      const place = placeOf(options);
      const { environment, slo } = await readPolicies(place.policiesDir, place.environment);
      const { budgetDays } = await readSlo(place);
      const { prometheus } = parseOptions(Options, options);
      const served = await servedIn(place, environment.model, budgetDays, prometheus);
      const budget = budgetOf(served, slo);
      const verdict = judgeBudget(served, slo);
      const over = prometheus === undefined ? "since the site counts" : `in ${budgetDays} days`;
      const left = `${(budget.left * 100).toFixed(1)} % of the error budget is left`;
      const text = `${left}: ${served.errors} of ${served.requests} requests failed ${over}, ${Math.floor(budget.allowed)} may`;
      const reason = explain(verdict);
      const json = { model: environment.model, budgetDays, served, budget, verdict };
      return { exit: exitOfVerdict(verdict), json, text: reason === "" ? text : `${text}\n${reason}` };
    },
  );
}

function servedIn(place: Place, model: string, days: number, prometheus: string | undefined): Promise<Served> {
  if (prometheus !== undefined) return servedByPrometheus(prometheus, model, days);
  return openSite(place.stateDir).readSamples().then(servedBy);
}

function readSlo(place: Place): Promise<SloPolicy> {
  return readYaml(join(place.policiesDir, "slo.yaml"), SloPolicy);
}
