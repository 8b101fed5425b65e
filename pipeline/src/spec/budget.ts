import { z } from "zod";
import { Verdict } from "./verdict.ts";

/** Somebody's reason to let a release in although the budget is spent. */
const Override = z.strictObject({ by: z.string().min(1), reason: z.string().trim().min(1) });
export type Override = z.infer<typeof Override>;

/**
 * The error budget at one moment: `requests` of the last `days` that speak about the service (4xx do not), the `errors`
 * among them, how many were `allowed`, and what is `left` as a share (1 untouched, 0 spent, below 0 overspent).
 * `source` is where the counts are from.
 */
export const BudgetReading = z.strictObject({
  source: z.string().min(1),
  days: z.int().positive(),
  requests: z.int().nonnegative(),
  errors: z.int().nonnegative(),
  allowed: z.number().nonnegative(),
  left: z.number(),
  verdict: Verdict,
  override: Override.exactOptional(),
});
export type BudgetReading = z.infer<typeof BudgetReading>;
