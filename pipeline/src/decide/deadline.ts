import type { Command } from "../spec/journal.ts";
import type { RolloutState } from "./state.ts";

/** The order that ends a rollout which takes longer than its strategy allows; undefined while there is time, or once it ends anyway. */
export function overdue(state: RolloutState, now: number): Command | undefined {
  const { deadlineSeconds } = state.opened.strategy;
  const isEnding = state.closed !== undefined || state.aborting !== undefined || state.intended.has("setStable");
  if (isEnding || !(now - state.openedAt > deadlineSeconds * 1000)) return undefined;
  return { command: "abort", by: "the deadline", reason: `not promoted within ${deadlineSeconds} s` };
}
