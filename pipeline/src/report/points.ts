import { z } from "zod";
import type { Arms, Entry } from "../spec/journal.ts";
import { type ArmSamples, addSamples, ByArm, between, noSamples, summariseArms } from "./arms.ts";

/** What the arms answered between `seconds - over` and `seconds`; both count from the rollout's first entry. */
export const Point = z.strictObject({
  seconds: z.number().nonnegative(),
  over: z.number().positive(),
  arms: ByArm,
});
export type Point = z.infer<typeof Point>;

/** A chart shows no more than this; looks are merged until they fit. */
const most = 120;

/** What happened between looks, as a series for charts. */
export function pointsOf(entries: readonly Entry[], arms: Arms): Point[] {
  const start = Date.parse(entries[0]?.at ?? "");
  const looks = entries.flatMap(({ at, event }) =>
    event.kind === "looked"
      ? [{ seconds: (Date.parse(at) - start) / 1000, step: event.step, samples: event.samples }]
      : [],
  );
  const each = Math.ceil(Math.max(1, looks.length - 1) / most);
  const points: Point[] = [];
  let before: (typeof looks)[number] | undefined;
  let sum: ArmSamples = noSamples;
  let from = 0;
  for (const [i, look] of looks.entries()) {
    if (before === undefined) from = look.seconds;
    else sum = addSamples(sum, between(before.samples, look.samples, arms));
    // A step's first look comes a moment after the last one of the step before: too short a time for a rate.
    const begins = before !== undefined && before.step !== look.step;
    before = look;
    const over = look.seconds - from;
    if (begins || (i % each !== 0 && i < looks.length - 1) || !(over > 0)) continue;
    points.push({ seconds: look.seconds, over, arms: summariseArms(sum) });
    sum = noSamples;
    from = look.seconds;
  }
  return points;
}
