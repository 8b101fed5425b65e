import { z } from "zod";
import { Verdict } from "./verdict.ts";

/** The checks before traffic, in the order in which they run. */
export const StageName = z.enum(["verify", "image", "scan", "contract", "load"]);
export type StageName = z.infer<typeof StageName>;

/** One thing that was looked at. `detail` says the state found and the state wanted when it is not a pass. */
export const Check = z.strictObject({ name: z.string().min(1), verdict: Verdict });
export type Check = z.infer<typeof Check>;

/**
 * The facts of one stage and its verdict. `figure` is the one number a reader wants, in words
 * (`p99 21 ms of 120 ms at 50/s`); `facts` is the stage's own measurement; times are RFC 3339. `repeat` is the command
 * that measures it again.
 */
export const Report = z.strictObject({
  schema: z.literal("sluice/report/v1"),
  stage: StageName,
  subject: z.string().min(1),
  startedAt: z.iso.datetime(),
  durationMs: z.number().nonnegative(),
  verdict: Verdict,
  figure: z.string(),
  checks: z.array(Check),
  facts: z.record(z.string(), z.json()),
  repeat: z.string().min(1).exactOptional(),
});
export type Report = z.infer<typeof Report>;
