import { z } from "zod";

/** Measured, and within every objective. */
const Pass = z.strictObject({ kind: z.literal("pass") });
/** Measured, and outside an objective. */
const Fail = z.strictObject({ kind: z.literal("fail"), breaches: z.array(z.string().min(1)).min(1) });
/** Too little data to say. */
const Inconclusive = z.strictObject({ kind: z.literal("inconclusive"), reason: z.string().min(1) });
/** Could not measure. */
const Failure = z.strictObject({ kind: z.literal("error"), reason: z.string().min(1) });

/** What a gate says. Only `pass` lets a release through. */
export const Verdict = z.discriminatedUnion("kind", [Pass, Fail, Inconclusive, Failure]);
export type Verdict = z.infer<typeof Verdict>;

/** The reason in words; empty for a pass. */
export function explain(verdict: Verdict): string {
  switch (verdict.kind) {
    case "pass":
      return "";
    case "fail":
      return verdict.breaches.join("; ");
    case "inconclusive":
    case "error":
      return verdict.reason;
  }
}
