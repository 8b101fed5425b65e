import { z } from "zod";
import { Latency } from "./sample.ts";

const Count = z.int().nonnegative();
const Ms = z.number().nonnegative();

/** Latency at a quantile 0..1, in milliseconds. */
export const Quantile = z.strictObject({ quantile: z.number().gt(0).lt(1), ms: Ms });
export type Quantile = z.infer<typeof Quantile>;

/** How many times stable's latency the candidate's is, with a 95 % confidence interval. */
const Ratio = z.strictObject({ ratio: z.number(), low: z.number(), high: z.number() });

/**
 * Both arms in one run, the same request for each at nearly the same moment; `tail` is at `tailQuantile` (0..1).
 * `stableSpread` is how many times its own speed stable varied during the run: 1 on a machine that is quiet.
 */
const Comparison = z.strictObject({
  pairs: Count,
  median: Ratio,
  tail: Ratio,
  tailQuantile: z.number().gt(0).lt(1),
  stableSpread: z.number(),
});

/** What the same run saw of stable. */
const StableFacts = z.strictObject({
  requests: Count,
  errors: Count,
  response: z.array(Quantile),
  service: z.array(Quantile),
  distribution: Latency,
});

/**
 * What one run of a load driver saw, its warm-up left out. `planned` arrivals were either sent or `dropped` (too many
 * were under way); of those sent, `errors` were refused, reset, timed out, empty or not 2xx (`errorKinds` by kind).
 * Response time counts from the intended start, service time from the actual one; their difference is the driver's lag
 * (k6 knows only service time and no lag: a late start shows as a dropped arrival). With stable beside it, `comparison`
 * is null when too few pairs were answered; `memory` is null when no process was watched.
 */
export const LoadFacts = z.strictObject({
  driver: z.enum(["sluice", "k6"]),
  /** Of the driver, in the part of the run that counts. */
  processes: z.int().positive(),
  seconds: z.number().nonnegative(),
  planned: Count,
  dropped: Count,
  requests: Count,
  errors: Count,
  errorKinds: z.record(z.string(), Count),
  ratePerSecond: z.number().nonnegative(),
  lagP99Ms: Ms.nullable(),
  response: z.array(Quantile),
  service: z.array(Quantile),
  distribution: Latency,
  stable: StableFacts.nullable(),
  comparison: Comparison.nullable(),
  memory: z.array(z.strictObject({ atSeconds: z.number().nonnegative(), mib: z.number().positive() })).nullable(),
});
export type LoadFacts = z.infer<typeof LoadFacts>;

/** What the search for the highest rate saw: every run in ascending rate, and the best that passed (0: none). */
export const CapacityFacts = z.strictObject({
  best: z.number().nonnegative(),
  curve: z.array(
    z.looseObject({
      ratePerSecond: z.number(),
      requests: Count.default(0),
      errors: Count.default(0),
      response: z.array(Quantile).default([]),
    }),
  ),
});
export type CapacityFacts = z.infer<typeof CapacityFacts>;
