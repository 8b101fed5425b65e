import { z } from "zod";
import { Quantile } from "./load.ts";

const Count = z.int().nonnegative();

const Users = {
  timeUnit: z.string(),
  startTime: z.string(),
  preAllocatedVUs: z.int().positive(),
  maxVUs: z.int().positive(),
};
const Scenario = z.discriminatedUnion("executor", [
  z.strictObject({
    executor: z.literal("constant-arrival-rate"),
    rate: z.int().positive(),
    duration: z.string(),
    ...Users,
  }),
  z.strictObject({
    executor: z.literal("ramping-arrival-rate"),
    startRate: z.int().nonnegative(),
    stages: z.array(z.strictObject({ target: z.int().positive(), duration: z.string() })).length(1),
    ...Users,
  }),
]);

/** The options that the script gives to k6: scenarios and thresholds, rendered from `load.yaml` and `slo.yaml`. */
export const K6Options = z.strictObject({
  scenarios: z.record(z.string(), Scenario),
  thresholds: z.record(z.string(), z.array(z.string())),
  summaryTrendStats: z.array(z.string()),
  noConnectionReuse: z.literal(false),
  discardResponseBodies: z.literal(false),
});
export type K6Options = z.infer<typeof K6Options>;

const Metric = z.string().min(1);

/**
 * What the k6 script reads: where to send which requests, its options, and the names of the metrics that its summary is
 * made of. The key comes from a file of its own.
 */
export const K6Plan = z.strictObject({
  schema: z.literal("sluice/k6-plan/v1"),
  url: z.url(),
  timeout: z.string(),
  requests: z.array(z.strictObject({ path: z.string(), contentType: z.string(), body: z.string() })).min(1),
  metrics: z.strictObject({ requests: Metric, failed: Metric, checks: Metric, dropped: Metric, duration: Metric }),
  quantiles: z.array(z.strictObject({ quantile: z.number().gt(0).lt(1), stat: z.string() })).min(1),
  options: K6Options,
});
export type K6Plan = z.infer<typeof K6Plan>;

/** What the script's `handleSummary` writes: counts of the measured scenario, and each threshold as k6 saw it. */
export const K6Summary = z.strictObject({
  schema: z.literal("sluice/k6-summary/v1"),
  requests: Count,
  errors: Count,
  dropped: Count,
  quantiles: z.array(Quantile),
  thresholds: z.array(z.strictObject({ metric: z.string(), expression: z.string(), ok: z.boolean() })),
});
export type K6Summary = z.infer<typeof K6Summary>;
