import { z } from "zod";

const Day = z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
export type Day = z.infer<typeof Day>;

const Clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "expected a time of day such as 16:00");

const Zone = z.string().refine(isZone, "expected a time zone such as Europe/Berlin");

/** Each week: from a time on each of `days` to the next `to`, by the wall clock of `zone`, daylight saving included. */
const Weekly = z.strictObject({
  kind: z.literal("weekly"),
  reason: z.string().min(1),
  zone: Zone,
  days: z.array(Day).min(1),
  from: Clock,
  to: Clock,
});

/** Once: from one day to another, both included, by the calendar of `zone`. */
const Dated = z.strictObject({
  kind: z.literal("dated"),
  reason: z.string().min(1),
  zone: Zone,
  from: z.iso.date(),
  to: z.iso.date(),
});

export const FreezeWindow = z.discriminatedUnion("kind", [Weekly, Dated]);
export type FreezeWindow = z.infer<typeof FreezeWindow>;

/** `policies/freeze.yaml`: when no rollout may begin, by environment. An environment that is not listed never freezes. */
export const FreezePolicy = z.strictObject({
  schema: z.literal("sluice/freeze/v1"),
  environments: z.record(z.string(), z.array(FreezeWindow)),
});
export type FreezePolicy = z.infer<typeof FreezePolicy>;

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
