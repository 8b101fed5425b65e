import { z } from "zod";

/** Who may change the target. `fence` grows with each holder: a write with a smaller one is a zombie's and refused. */
export const Lease = z.strictObject({
  holder: z.string().min(1),
  fence: z.int().positive(),
  renewedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export type Lease = z.infer<typeof Lease>;
