import type { BudgetReading, Override } from "../spec/budget.ts";
import type { Slo } from "../spec/policy.ts";
import type { Verdict } from "../spec/verdict.ts";

/** What was served in the budget's days: `requests` are those that speak about the service (4xx do not). */
export interface Served {
  requests: number;
  errors: number;
}

/** Requests that may fail, those that did, and what is left as a share (1 untouched, 0 spent, below 0 overspent). */
export interface Budget {
  allowed: number;
  spent: number;
  left: number;
}

/** The error budget of what was served; untouched when nothing was. */
export function budgetOf({ requests, errors }: Served, { maxErrorRate }: Slo): Budget {
  const allowed = requests * maxErrorRate;
  return { allowed, spent: errors, left: requests === 0 && errors === 0 ? 1 : 1 - errors / allowed };
}

/** An exhausted budget blocks a promotion, unless somebody overrides it with a reason. */
export function judgeBudget(served: Served, slo: Slo, override?: Override): Verdict {
  const { allowed, spent, left } = budgetOf(served, slo);
  if (left > 0) return { kind: "pass" };
  if (override !== undefined && override.reason.trim() !== "") return { kind: "pass" };
  const found = `${spent} of ${served.requests} requests failed, ${Math.floor(allowed)} may`;
  return { kind: "fail", breaches: [`error budget is spent: ${found}`] };
}

/** What was served, what that leaves, and whether a release may be let in. An override is kept only where it was needed. */
export function readBudget(
  served: Served,
  slo: Slo,
  { source, days, override }: { source: string; days: number; override?: Override | undefined },
): BudgetReading {
  const { allowed, left } = budgetOf(served, slo);
  const isNeeded = override !== undefined && judgeBudget(served, slo).kind !== "pass";
  const verdict = judgeBudget(served, slo, override);
  return { source, days, ...served, allowed, left, verdict, ...(isNeeded ? { override } : {}) };
}

/** The reading as one sentence. */
export function sayBudget({ source, days, requests, errors, allowed, left }: BudgetReading): string {
  const share = `${(left * 100).toFixed(1)} % of the error budget is left`;
  return `${share}: ${errors} of ${requests} requests failed in ${days} days by ${source}, ${Math.floor(allowed)} may`;
}
