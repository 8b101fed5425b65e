import type { Check } from "../spec/report.ts";
import type { Verdict } from "../spec/verdict.ts";

/** One verdict for many checks: error before fail before inconclusive before pass. No check at all is an error. */
export function worst(checks: readonly Check[]): Verdict {
  const error = checks.find((check) => check.verdict.kind === "error");
  if (error !== undefined) return error.verdict;
  const breaches = checks.flatMap(({ verdict }) => (verdict.kind === "fail" ? verdict.breaches : []));
  if (breaches.length > 0) return { kind: "fail", breaches };
  const inconclusive = checks.find((check) => check.verdict.kind === "inconclusive");
  if (inconclusive !== undefined) return inconclusive.verdict;
  return checks.length > 0 ? { kind: "pass" } : { kind: "error", reason: "Cannot judge: nothing was checked" };
}
