import type { Slo } from "../spec/policy.ts";
import type { Sample, Samples } from "../spec/sample.ts";
import type { Verdict } from "../spec/verdict.ts";

/** What was served in the budget's days: `requests` are those that speak about the service (4xx do not). */
export type Served = Pick<Sample, "requests" | "errors">;

/** Requests that may fail, those that did, and what is left as a share (1 untouched, 0 spent, below 0 overspent). */
export interface Budget {
  allowed: number;
  spent: number;
  left: number;
}

/** The error budget of what was served; untouched when nothing was. */
export function budgetOf({ requests, errors }: Served, { maxErrorRate }: Slo): Budget {
  const allowed = requests * maxErrorRate;
  return { allowed, spent: errors, left: requests === 0 ? 1 : 1 - errors / allowed };
}

/** How many times faster than allowed the budget is being spent: at 1 it lasts exactly its days. NaN when nothing was served. */
export function burnRate({ requests, errors }: Served, { maxErrorRate }: Slo): number {
  return errors / requests / maxErrorRate;
}

/** An exhausted budget blocks a promotion, unless somebody overrides it with a reason. */
export function judgeBudget(served: Served, slo: Slo, override?: { by: string; reason: string }): Verdict {
  const { allowed, spent, left } = budgetOf(served, slo);
  if (left > 0) return { kind: "pass" };
  if (override !== undefined && override.reason.trim() !== "") return { kind: "pass" };
  const found = `${spent} of ${served.requests} requests failed, the budget was ${Math.floor(allowed)}`;
  return { kind: "fail", breaches: [`error budget is spent: ${found}; next: wait, or override it with a reason`] };
}

/** All revisions of a site together. */
export function servedBy(samples: Samples): Served {
  let requests = 0;
  let errors = 0;
  for (const sample of Object.values(samples)) {
    requests += sample.requests;
    errors += sample.errors;
  }
  return { requests, errors };
}
