import { z } from "zod";
import { plus, quantileMs, since } from "../decide/sample.ts";
import type { Arms } from "../spec/journal.ts";
import { emptySample, type Sample, type Samples } from "../spec/sample.ts";

/** The arms of a rollout, in the order in which they are shown. */
export const armNames = ["canary", "baseline", "stable"] as const;
export type ArmName = (typeof armNames)[number];

const Count = z.int().nonnegative();

/** What one arm answered. A latency is null where nothing was measured. */
export const ArmSummary = z.strictObject({
  requests: Count,
  errors: Count,
  clientErrors: Count,
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});
export type ArmSummary = z.infer<typeof ArmSummary>;

/** The same for all three. */
export const ByArm = z.strictObject({ canary: ArmSummary, baseline: ArmSummary, stable: ArmSummary });
export type ByArm = z.infer<typeof ByArm>;

/** Samples of the three arms. */
export type ArmSamples = Record<ArmName, Sample>;

export const noSamples: ArmSamples = { canary: emptySample, baseline: emptySample, stable: emptySample };

/** What came between two cumulative readings, by arm; without an earlier one nothing did. */
export function between(earlier: Samples | undefined, later: Samples, arms: Arms): ArmSamples {
  return mapArms((arm) => {
    const after = later[arms[arm]];
    if (earlier === undefined || after === undefined) return emptySample;
    return since(earlier[arms[arm]] ?? emptySample, after);
  });
}

export function addSamples(a: ArmSamples, b: ArmSamples): ArmSamples {
  return mapArms((arm) => plus(a[arm], b[arm]));
}

export function summariseArms(samples: ArmSamples): ByArm {
  return mapArms((arm) => {
    const { requests, errors, clientErrors, latency } = samples[arm];
    return {
      requests,
      errors,
      clientErrors,
      p50Ms: orNull(quantileMs(latency, 0.5)),
      p99Ms: orNull(quantileMs(latency, 0.99)),
    };
  });
}

function mapArms<T>(of: (arm: ArmName) => T): Record<ArmName, T> {
  return { canary: of("canary"), baseline: of("baseline"), stable: of("stable") };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
