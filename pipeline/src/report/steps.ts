import { z } from "zod";
import type { Opened } from "../decide/state.ts";
import type { Entry } from "../spec/journal.ts";
import type { Samples } from "../spec/sample.ts";
import { Verdict } from "../spec/verdict.ts";
import { type ArmSamples, addSamples, ByArm, between, noSamples, summariseArms } from "./arms.ts";

/** One weight: how long it stood, what each arm answered under it, and the verdict once there is one. */
export const StepSummary = z.strictObject({
  step: z.int().nonnegative(),
  weight: z.int().min(1).max(99),
  seconds: z.number().nonnegative(),
  arms: ByArm,
  verdict: Verdict.optional(),
  figure: z.string(),
});
export type StepSummary = z.infer<typeof StepSummary>;

interface Tally {
  weight: number;
  from: number;
  to: number;
  samples: ArmSamples;
  verdict: Verdict | undefined;
  figure: string;
}

/** Every step whose weight was set, in order. */
export function stepsOf(entries: readonly Entry[], { arms }: Opened): StepSummary[] {
  const tallies = new Map<number, Tally>();
  let before: Samples | undefined;
  for (const { at, event } of entries) {
    const time = Date.parse(at);
    if (event.kind === "outcome" && event.action.do === "setWeight" && event.error === undefined) {
      const { step, weight } = event.action;
      // A resumed step begins anew, yet what it saw before the pause stays in its row.
      const known = tallies.get(step);
      tallies.set(step, known ?? { weight, from: time, to: time, samples: noSamples, verdict: undefined, figure: "" });
    }
    if (event.kind === "looked") {
      const tally = tallies.get(event.step);
      if (tally !== undefined) {
        tally.samples = addSamples(tally.samples, between(before, event.samples, arms));
        tally.to = time;
      }
      before = event.samples;
    }
    if (event.kind === "judged") {
      const tally = tallies.get(event.step);
      if (tally !== undefined) Object.assign(tally, { verdict: event.verdict, figure: event.figure, to: time });
    }
  }
  return [...tallies].map(([step, tally]) => ({
    step,
    weight: tally.weight,
    seconds: Math.max(0, (tally.to - tally.from) / 1000),
    arms: summariseArms(tally.samples),
    ...(tally.verdict === undefined ? {} : { verdict: tally.verdict }),
    figure: tally.figure,
  }));
}
