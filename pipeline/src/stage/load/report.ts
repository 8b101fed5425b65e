import { loadFigure } from "../../decide/load.ts";
import { worst } from "../../decide/worst.ts";
import { DeployError } from "../../spec/error.ts";
import type { LoadFacts } from "../../spec/load.ts";
import type { Slo } from "../../spec/policy.ts";
import type { Check, Report } from "../../spec/report.ts";

/** What one driver brought back. */
export interface Measured {
  facts: LoadFacts;
  checks: Check[];
}

/** Runs `measure` and makes the load stage's report of it; a `DeployError` means that nothing was measured. */
export async function reportLoad(subject: string, slo: Slo, measure: () => Promise<Measured>): Promise<Report> {
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const report = { schema: "sluice/report/v1", stage: "load", subject, startedAt } as const;
  try {
    const { facts, checks } = await measure();
    const durationMs = performance.now() - began;
    return { ...report, durationMs, verdict: worst(checks), figure: loadFigure(facts, slo), checks, facts };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const verdict = { kind: "error", reason: error.message } as const;
    return { ...report, durationMs: performance.now() - began, verdict, figure: "not measured", checks: [], facts: {} };
  }
}
