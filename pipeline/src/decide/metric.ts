import type { JudgePolicy, Slo } from "../spec/policy.ts";
import type { Sample } from "../spec/sample.ts";

/** What both arms saw between two looks. */
export interface Delta {
  canary: Sample;
  baseline: Sample;
}

/** What the canary is held against. */
export interface Limits {
  policy: JudgePolicy;
  slo: Slo;
}

/** How strongly one metric speaks against an arm, and the numbers in words (made only when they are read). */
export interface Metric {
  name: string;
  against: "baseline" | "stable" | "slo";
  evidence: number;
  readonly words: string;
}

/** How many requests of one kind an arm had over all looks. */
export function countIn(
  deltas: readonly Delta[],
  arm: keyof Delta,
  kind: "requests" | "errors" | "clientErrors" = "requests",
): number {
  return deltas.reduce((sum, delta) => sum + delta[arm][kind], 0);
}

/** A rate 0..1 as people read it. */
export function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(3))} %`;
}
