import { dag, type File, func, object } from "@dagger.io/dagger";
import type { Report as StageReport } from "../spec/report.ts";
import { explain } from "../spec/verdict.ts";

/** What a gate says. Only PASS lets a release through. */
export enum Verdict {
  /** Measured, and within every objective. */
  Pass = "pass",
  /** Measured, and outside an objective. */
  Fail = "fail",
  /** Too little data to say. */
  Inconclusive = "inconclusive",
  /** Could not measure. */
  Error = "error",
}

/** What one stage saw, and its verdict. */
@object()
export class Report {
  /** verify, image, scan, contract or load. */
  @func()
  stage = "";

  /** What was looked at. */
  @func()
  subject = "";

  /** What the stage says. */
  @func()
  verdict: Verdict = Verdict.Error;

  /** The one number that a reader wants. */
  @func()
  figure = "";

  /** Why it is not a pass; empty when it is. */
  @func()
  reason = "";

  /** The whole report as JSON. */
  @func()
  file: File;

  constructor(file: File) {
    this.file = file;
  }
}

const verdicts = {
  pass: Verdict.Pass,
  fail: Verdict.Fail,
  inconclusive: Verdict.Inconclusive,
  error: Verdict.Error,
} as const;

/** A report as an object that a caller can go on from. */
export function toReport(found: StageReport): Report {
  const name = `${found.stage}.json`;
  const report = new Report(
    dag
      .directory()
      .withNewFile(name, JSON.stringify(found, null, 2))
      .file(name),
  );
  report.stage = found.stage;
  report.subject = found.subject;
  report.verdict = verdicts[found.verdict.kind];
  report.figure = found.figure;
  report.reason = explain(found.verdict);
  return report;
}
