import { z } from "zod";

/** What became of a whole canary on images that took no real traffic. `steps` has a line for each judged step. */
export const Rehearsal = z.strictObject({
  schema: z.literal("sluice/rehearsal/v1"),
  candidate: z.string().min(1),
  stable: z.string().min(1),
  status: z.enum(["promoted", "aborted", "paused", "open"]),
  reason: z.string(),
  steps: z.array(z.string()),
  seconds: z.number().nonnegative(),
});
export type Rehearsal = z.infer<typeof Rehearsal>;
