import { z } from "zod";
import { Weights } from "./sample.ts";

/** A running copy of a release. `port` is its own on loopback, `pid` its process. */
export const Revision = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9.-]{0,200}$/i),
  releaseId: z.string().min(1),
  state: z.enum(["starting", "ready", "draining", "failed"]),
  port: z.int().nonnegative(),
  pid: z.int().nonnegative(),
  restarts: z.int().nonnegative(),
});
export type Revision = z.infer<typeof Revision>;

/** What is asked of the supervisor: a revision `id` that serves the staged release in folder `releaseDir`. */
export const StartRevision = z.strictObject({
  releaseId: z.string().min(1),
  releaseDir: z.string().min(1),
  readySeconds: z.number().positive(),
});
export type StartRevision = z.infer<typeof StartRevision>;

/** The site as it is. `stable` is the revision that everything falls back to; absent on an empty site. */
export const SiteState = z.strictObject({
  address: z.url(),
  pid: z.int().positive(),
  fence: z.int().nonnegative(),
  stable: z.string().optional(),
  weights: z.union([Weights, z.strictObject({})]),
  revisions: z.array(Revision),
});
export type SiteState = z.infer<typeof SiteState>;
