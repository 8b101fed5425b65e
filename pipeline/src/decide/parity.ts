import { type Report, StageName } from "../spec/report.ts";

/** One thing in which two runs differ, in words; `a` and `b` are what each had. */
export type Difference = { stage: StageName; what: string; a: string; b: string };

const absent = "not run";

/**
 * Compares what two runs looked at and what they concluded. Measured numbers may differ between machines; the subject, the
 * model's digest, the checks and their verdicts may not.
 */
export function compareRuns(a: readonly Report[], b: readonly Report[]): Difference[] {
  return StageName.options.flatMap((stage) => {
    const [one, two] = [a, b].map((reports) => reports.findLast((report) => report.stage === stage));
    if (one === undefined && two === undefined) return [];
    const differences = [
      { what: "subject", a: subjectOf(one), b: subjectOf(two) },
      { what: "model digest", a: digestOf(one), b: digestOf(two) },
      { what: "verdict", a: one?.verdict.kind ?? absent, b: two?.verdict.kind ?? absent },
      ...compareChecks(one, two),
    ];
    return differences.filter((found) => found.a !== found.b).map((found) => ({ stage, ...found }));
  });
}

/** What was looked at. A release is named by its model: code and policies are the other surface's own. */
export function subjectOf(report: Report | undefined): string {
  if (report === undefined) return absent;
  return report.subject.replace(/^([a-z][a-z0-9-]*?)-(\d\S*)-[0-9a-f]{12}$/, "$1@$2");
}

function compareChecks(one: Report | undefined, two: Report | undefined): Omit<Difference, "stage">[] {
  if (one === undefined || two === undefined) return [];
  const names = new Set([...one.checks, ...two.checks].map(({ name }) => name));
  return [...names].map((name) => ({ what: `check ${name}`, a: verdictOf(one, name), b: verdictOf(two, name) }));
}

function verdictOf({ checks }: Report, name: string): string {
  return checks.find((check) => check.name === name)?.verdict.kind ?? absent;
}

function digestOf(report: Report | undefined): string {
  const digest = report?.facts.digest;
  return typeof digest === "string" ? digest : "";
}
