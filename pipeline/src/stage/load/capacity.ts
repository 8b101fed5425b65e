import { nextCapacity, secondsAt } from "../../decide/capacity.ts";
import type { CapacityProfile, Slo } from "../../spec/policy.ts";
import type { Check, Report } from "../../spec/report.ts";
import { type LoadInput, load } from "./load.ts";

/** What the search is about; see `LoadInput`. */
export interface CapacityInput extends Omit<LoadInput, "profile" | "stable" | "pid"> {
  profile: CapacityProfile;
  /** Told about every run as it ends. */
  onRun?: (report: Report) => void;
}

/**
 * Finds the highest rate at which the service keeps its objectives, run by run. One check per run, in ascending rate;
 * `facts.curve` has each run's facts.
 */
export async function findCapacity({ profile, onRun, ...input }: CapacityInput): Promise<Report> {
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const runs: { ratePerSecond: number; report: Report }[] = [];
  for (;;) {
    const points = runs.map(({ ratePerSecond, report }) => ({ ratePerSecond, verdict: report.verdict }));
    const step = nextCapacity(points, profile);
    if (step.kind === "end") {
      const { best, verdict } = step;
      const sorted = runs.toSorted((a, b) => a.ratePerSecond - b.ratePerSecond);
      const checks: Check[] = sorted.map((run) => ({ name: `${run.ratePerSecond}/s`, verdict: run.report.verdict }));
      const curve = sorted.map(({ ratePerSecond, report }) => ({
        ...withoutDistribution(report.facts),
        ratePerSecond,
      }));
      const figure = best > 0 ? `${best}/s within the objectives` : "no rate within the objectives";
      const head = { schema: "sluice/report/v1", stage: "load", subject: input.subject, startedAt } as const;
      return { ...head, durationMs: performance.now() - began, verdict, figure, checks, facts: { best, curve } };
    }
    const { ratePerSecond } = step;
    const report = await load({ ...input, profile: profileAt(ratePerSecond, profile, input.slo) });
    runs.push({ ratePerSecond, report });
    onRun?.(report);
  }
}

/** How many times its seconds a run may take while what it says may be chance. */
const longest = 3;

function profileAt(ratePerSecond: number, profile: CapacityProfile, slo: Slo): LoadInput["profile"] {
  const { warmupSeconds, maxInFlight, timeoutMs, maxLagMs, processes } = profile;
  const seconds = secondsAt(ratePerSecond, profile, slo);
  const maxSeconds = longest * seconds;
  return { ratePerSecond, warmupSeconds, seconds, maxSeconds, maxInFlight, timeoutMs, maxLagMs, processes };
}

function withoutDistribution(facts: Report["facts"]): Report["facts"] {
  return Object.fromEntries(Object.entries(facts).filter(([name]) => name !== "distribution"));
}
