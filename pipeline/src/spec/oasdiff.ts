import { z } from "zod";

/** What oasdiff finds: `level` 3 breaks clients, 2 may, 1 does not. */
export const OasdiffChanges = z.array(
  z.looseObject({
    id: z.string(),
    text: z.string(),
    level: z.int().min(1).max(3),
    operation: z.string().optional(),
    path: z.string().optional(),
  }),
);
export type OasdiffChanges = z.infer<typeof OasdiffChanges>;
