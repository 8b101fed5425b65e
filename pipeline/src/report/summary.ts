import { z } from "zod";
import { fold, type RolloutState } from "../decide/state.ts";
import { Arms, type Entry } from "../spec/journal.ts";
import { Release } from "../spec/release.ts";
import { Evidence, evidenceOf } from "./evidence.ts";
import { Point, pointsOf } from "./points.ts";
import { StepSummary, stepsOf } from "./steps.ts";
import { Happening, happeningsOf, WeightChange, weightChangesOf } from "./timeline.ts";

/**
 * A rollout as people want to read it, from its journal alone. `seconds` count from the first entry everywhere.
 * `reason` says why it ended or stands still; it is empty while the rollout goes on.
 */
export const RolloutSummary = z.strictObject({
  schema: z.literal("sluice/summary/v1"),
  rollout: z.string().min(1),
  candidate: Release,
  stable: Release,
  arms: Arms,
  status: z.enum(["promoted", "aborted", "paused", "open"]),
  reason: z.string(),
  startedAt: z.iso.datetime(),
  lastAt: z.iso.datetime(),
  seconds: z.number().nonnegative(),
  steps: z.array(StepSummary),
  weights: z.array(WeightChange),
  points: z.array(Point),
  evidence: z.array(Evidence),
  happenings: z.array(Happening),
});
export type RolloutSummary = z.infer<typeof RolloutSummary>;

/** Summarises a journal that begins with `opened`; anything else is a bug of the caller. */
export function summariseRollout(entries: readonly Entry[]): RolloutSummary {
  const state = fold(entries);
  const first = entries[0];
  const last = entries.at(-1);
  if (state === undefined || first === undefined || last === undefined) {
    throw new Error("Cannot summarise rollout: its journal does not begin with opened");
  }
  const { rollout, candidate, stable, arms } = state.opened;
  return {
    schema: "sluice/summary/v1",
    rollout,
    candidate,
    stable,
    arms,
    ...standing(state),
    startedAt: first.at,
    lastAt: last.at,
    seconds: Math.max(0, (Date.parse(last.at) - Date.parse(first.at)) / 1000),
    steps: stepsOf(entries, state.opened),
    weights: weightChangesOf(entries),
    points: pointsOf(entries, arms),
    evidence: evidenceOf(entries, state.opened),
    happenings: happeningsOf(entries),
  };
}

function standing({ closed, paused, aborting }: RolloutState): Pick<RolloutSummary, "status" | "reason"> {
  if (closed !== undefined) return { status: closed.result, reason: closed.reason };
  if (paused !== undefined && aborting === undefined) return { status: "paused", reason: paused };
  return { status: "open", reason: aborting ?? "" };
}
