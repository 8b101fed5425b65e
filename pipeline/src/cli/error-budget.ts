import { userInfo } from "node:os";
import { z } from "zod";
import { readBudget, type Served, sayBudget } from "../decide/budget.ts";
import type { BudgetReading } from "../spec/budget.ts";
import { DeployError } from "../spec/error.ts";
import type { Policies } from "../spec/policy.ts";
import { explain } from "../spec/verdict.ts";
import { servedByPrometheus } from "../stage/budget/prometheus.ts";
import { servedByHaproxy } from "../target/haproxy/target.ts";
import { readHistory } from "../target/local/history.ts";
import { sitePaths } from "../target/local/paths.ts";
import type { Host } from "./host.ts";
import type { Progress } from "./progress.ts";

/** The option of every command that lets a release in: its schema, and how commander knows it. */
export const overrideBudget = z.string().trim().min(1).optional();
export const overrideBudgetOption = [
  "--override-budget <reason>",
  "let it in although the error budget is spent; the reason is journaled",
] as const;

/** Where the error budget is read: the environment's policies, and the folder of its target's state. */
export type Budgeted = { policies: Policies; place: Pick<Host["place"], "stateDir"> };

/** Reads the error budget: from `prometheus`, else from the environment's own one, else from the target's own history. */
export async function currentBudget(
  { policies, place }: Budgeted,
  {
    prometheus = policies.environment.prometheus,
    reason,
  }: { prometheus?: string | undefined; reason?: string | undefined } = {},
): Promise<BudgetReading> {
  const { budgetDays: days, slo } = policies;
  const { source, served } = await servedIn({ policies, place }, prometheus);
  const override = reason === undefined ? undefined : { by: userInfo().username, reason };
  return readBudget(served, slo, { source, days, override });
}

/**
 * Reads the error budget before a release is let in. Where it is spent and the admission policy says `block`, throws
 * `E_GATE` unless somebody gave a `reason`; where the policy says `tell`, it only tells.
 */
export async function demandBudget(
  host: Budgeted,
  reason: string | undefined,
  progress: Progress,
): Promise<BudgetReading | undefined> {
  const isTold = host.policies.admission.errorBudget === "tell";
  try {
    const reading = await currentBudget(host, { reason });
    progress.done(`error budget: ${sayBudget(reading)}${reading.override === undefined ? "" : "; overridden"}`);
    if (reading.verdict.kind === "pass" || isTold) return reading;
    const next = "sluice budget, wait, or --override-budget REASON";
    throw new DeployError("E_GATE", `Cannot let a release in: ${explain(reading.verdict)}; next: ${next}`);
  } catch (error) {
    if (!(isTold && error instanceof DeployError)) throw error;
    progress.done(`error budget: not known; ${error.message}`);
    return undefined;
  }
}

async function servedIn(
  { policies: { environment, budgetDays }, place }: Budgeted,
  prometheus: string | undefined,
): Promise<{ source: string; served: Served }> {
  if (prometheus !== undefined) {
    const served = await servedByPrometheus(prometheus, environment.model, budgetDays);
    return { source: "Prometheus", served };
  }
  const { stateDir } = place;
  switch (environment.target.kind) {
    case "local": {
      const served = readHistory(sitePaths(stateDir).history, { days: budgetDays, now: Date.now() });
      return { source: "the site's history", served };
    }
    case "haproxy":
    case "docker":
      return { source: "HAProxy's history", served: await servedByHaproxy(stateDir, budgetDays) };
    case "bound":
      throw new DeployError(
        "E_TOOL",
        "Cannot read the error budget: target bound keeps no history; next: name a prometheus in the environment",
      );
  }
}
