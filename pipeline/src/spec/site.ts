import { z } from "zod";
import { Weights } from "./sample.ts";

/** A revision's id; also a file's name. */
export const RevisionId = z
  .string()
  .regex(/^[a-z][a-z0-9.-]{0,200}$/i, "expected a letter, then letters, digits, dots and dashes");

/** Percent of new requests by revision id, or nothing while the target serves nothing. */
export const SiteWeights = z.union([Weights, z.strictObject({})]);
export type SiteWeights = z.infer<typeof SiteWeights>;

/** A running copy of a release. `port` is its own on loopback, `pid` its process. */
export const Revision = z.strictObject({
  id: RevisionId,
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
  weights: SiteWeights,
  revisions: z.array(Revision),
});
export type SiteState = z.infer<typeof SiteState>;

/** What the site needs to find a revision again: `started` tells its process from a later one with the same `pid`. */
export const KeptRevision = StartRevision.extend({
  id: RevisionId,
  port: z.int().nonnegative(),
  pid: z.int().nonnegative(),
  started: z.string(),
});
export type KeptRevision = z.infer<typeof KeptRevision>;

/** `site/state.json`: what a killed site is brought back from. */
export const SiteFile = z.strictObject({
  schema: z.literal("sluice/site/v1"),
  host: z.string().min(1),
  port: z.int().min(0).max(65_535),
  workers: z.int().positive(),
  fence: z.int().nonnegative(),
  stable: z.string().optional(),
  weights: SiteWeights,
  revisions: z.array(KeptRevision),
});
export type SiteFile = z.infer<typeof SiteFile>;

/** The holder's fencing token: a write with a smaller one than the site has seen is refused. */
const Fence = z.int().nonnegative();

/** Bodies of the admin API's writes. */
export const PutWeights = z.strictObject({ fence: Fence, weights: Weights });
export const PutStable = z.strictObject({ fence: Fence, id: RevisionId });
export const PutRevision = StartRevision.extend({ fence: Fence });
export const StopRevision = z.strictObject({ fence: Fence, drainSeconds: z.number().nonnegative().max(86_400) });
/** `script` is the next site's main program. */
export const ReplaceSite = z.strictObject({ script: z.string().min(1) });
export const Done = z.strictObject({ done: z.literal(true) });

/** The admin API's answer when it did not do what was asked; `code` is a `DeployError`'s, or `E_BUG`. */
export const AdminProblem = z.strictObject({
  code: z.enum(["E_USAGE", "E_FILE", "E_DIGEST", "E_GATE", "E_TOOL", "E_LEASE", "E_STATE", "E_BUG"]),
  detail: z.string(),
});
export type AdminProblem = z.infer<typeof AdminProblem>;
