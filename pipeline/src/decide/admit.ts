import type { Report, StageName } from "../spec/report.ts";
import { explain, type Verdict } from "../spec/verdict.ts";

/** A release may take traffic when every required stage was run and passed. The worst verdict wins. */
export function admit(required: readonly StageName[], reports: readonly Report[]): Verdict {
  const verdicts = required.map((stage) => ({ stage, verdict: verdictOf(stage, reports) }));
  const breaches = verdicts.flatMap(({ stage, verdict }) =>
    verdict.kind === "fail" ? [`${stage}: ${explain(verdict)}`] : [],
  );
  if (breaches.length > 0) return { kind: "fail", breaches };
  for (const kind of ["error", "inconclusive"] as const) {
    const found = verdicts.find(({ verdict }) => verdict.kind === kind);
    if (found !== undefined) return { kind, reason: `${found.stage}: ${explain(found.verdict)}` };
  }
  if (required.length === 0) return { kind: "error", reason: "Cannot admit release: policy requires no stage at all" };
  return { kind: "pass" };
}

function verdictOf(stage: StageName, reports: readonly Report[]): Verdict {
  const report = reports.findLast((candidate) => candidate.stage === stage);
  return report?.verdict ?? { kind: "error", reason: "the policy requires it and it was not run" };
}
