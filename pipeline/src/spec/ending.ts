import { z } from "zod";

/** What became of a rollout, or of its rehearsal. `steps` has a line for each judged step. */
export const Ending = z.strictObject({
  schema: z.literal("sluice/ending/v1"),
  candidate: z.string().min(1),
  stable: z.string().min(1),
  status: z.enum(["promoted", "aborted", "paused", "open"]),
  reason: z.string(),
  steps: z.array(z.string()),
  seconds: z.number().nonnegative(),
});
export type Ending = z.infer<typeof Ending>;
