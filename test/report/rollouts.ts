import type { Report } from "../../pipeline/src/spec/report.ts";
import { aJournal, type JournalBuilder } from "../support/journal.ts";

const steady = { ms: [4, 4, 4, 4, 4, 4, 4, 5, 5, 20] };

/** Two steps of three looks each, with ten requests an arm at every look; both passed. */
export function aGoodRollout(): JournalBuilder {
  const journal = aJournal().prepared().wait(1);
  for (const [step, weight] of [10, 50].entries()) {
    journal.weight(step, weight);
    for (let look = 0; look < 3; look++) {
      journal.wait(1).look(step, { canary: steady, baseline: steady, stable: weight === 50 ? { ms: [] } : steady });
    }
    journal.judged(step, { kind: "pass" });
  }
  return journal.promoted();
}

/** One step of two looks, in which the canary failed half of its requests. */
export function aBadRollout(breach = "15 errors in 30 requests, baseline 0 in 30"): JournalBuilder {
  const journal = aJournal().prepared().weight(0, 10);
  for (let look = 0; look < 3; look++) {
    journal.wait(1).look(0, { canary: { ...steady, errors: 5, clientErrors: 2 }, baseline: steady });
  }
  return journal.judged(0, { kind: "fail", breaches: [breach] }).aborted(breach);
}

export function aReport(changes: Partial<Report> = {}): Report {
  return {
    schema: "sluice/report/v1",
    stage: "load",
    subject: "magika@3.3.0",
    startedAt: "2026-11-24T12:00:00.000Z",
    durationMs: 1200,
    verdict: { kind: "pass" },
    figure: "p99 21 ms of 250 ms at 40/s",
    checks: [],
    facts: {},
    ...changes,
  };
}
