import { z } from "zod";

/** `[upper edge in microseconds, count]`, ascending; from an HDR histogram of three significant digits. */
export const Latency = z.array(z.tuple([z.int().nonnegative(), z.int().positive()]));
export type Latency = z.infer<typeof Latency>;

/**
 * What the router saw of one arm since it began to count. `requests` are those that speak about the arm:
 * answered 1xx to 3xx, or failed (5xx, reset, timed out: `errors`). Clients' own mistakes (4xx) are only in `clientErrors`.
 */
export const Sample = z.strictObject({
  requests: z.int().nonnegative(),
  errors: z.int().nonnegative(),
  clientErrors: z.int().nonnegative(),
  latency: Latency,
});
export type Sample = z.infer<typeof Sample>;

/** Cumulative samples of every revision, by revision id. */
export const Samples = z.record(z.string(), Sample);
export type Samples = z.infer<typeof Samples>;

/** Nothing seen yet. */
export const emptySample: Sample = { requests: 0, errors: 0, clientErrors: 0, latency: [] };

/**
 * Requests that were put to stable, canary and baseline alike: how many of the canary's answers were other ones than
 * stable's, and how many of the baseline's (`noise`; not known where there is no baseline).
 */
export const Answers = z.strictObject({
  compared: z.int().nonnegative(),
  changed: z.int().nonnegative(),
  noise: z.int().nonnegative().exactOptional(),
});
export type Answers = z.infer<typeof Answers>;

/** Percent of new requests by revision id: integers that sum to 100. */
export const Weights = z
  .record(z.string(), z.int().min(0).max(100))
  .refine(
    (weights) => Object.values(weights).reduce((sum, weight) => sum + weight, 0) === 100,
    "expected a sum of 100",
  );
export type Weights = z.infer<typeof Weights>;
