import { expect, test } from "bun:test";
import { compareRuns } from "../../pipeline/src/decide/parity.ts";
import type { Report } from "../../pipeline/src/spec/report.ts";

function aReport(change: Partial<Report> = {}): Report {
  return {
    schema: "sluice/report/v1",
    stage: "verify",
    subject: "magika@3.3.0",
    startedAt: "2026-11-24T00:00:00Z",
    durationMs: 1,
    verdict: { kind: "pass" },
    figure: "6 files",
    checks: [{ name: "files", verdict: { kind: "pass" } }],
    facts: { digest: "sha256:aa" },
    ...change,
  };
}

test("compareRuns() finds nothing between runs that differ in time and measured numbers alone", () => {
  const other = aReport({ startedAt: "2027-01-01T00:00:00Z", durationMs: 99, figure: "6 files, deviation 3.0e-8" });
  expect(compareRuns([aReport()], [other])).toEqual([]);
});

test("compareRuns() takes a release for its model: its code and policies are the other run's own", () => {
  const other = aReport({ subject: "magika-3.3.0-0123456789ab" });
  expect(compareRuns([aReport()], [other])).toEqual([]);
  expect(compareRuns([aReport({ subject: "magika@3.2.0" })], [other])).toHaveLength(1);
});

const changes: [string, Partial<Report>, string][] = [
  ["the model", { facts: { digest: "sha256:bb" } }, "model digest"],
  ["the subject", { subject: "magika@3.2.0" }, "subject"],
  ["the verdict", { verdict: { kind: "error", reason: "no" } }, "verdict"],
  ["a check", { checks: [{ name: "files", verdict: { kind: "fail", breaches: ["x"] } }] }, "check files"],
  ["a check that only one made", { checks: [] }, "check files"],
];

test.each(changes)("compareRuns() names %s", (_, change, what) => {
  const [difference] = compareRuns([aReport()], [aReport(change)]);
  expect(difference?.what).toBe(what);
});

test("compareRuns() names a stage that only one run has", () => {
  expect(compareRuns([aReport()], [aReport(), aReport({ stage: "load", facts: {} })])).toContainEqual({
    stage: "load",
    what: "verdict",
    a: "not run",
    b: "pass",
  });
});
