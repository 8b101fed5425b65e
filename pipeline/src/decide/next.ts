import type { Action } from "../spec/journal.ts";
import { keyOf, type RolloutState } from "./state.ts";

/** What a rollout does next. `look`: the step's window is open, measure and judge. */
export type Next =
  | { kind: "act"; action: Action }
  | { kind: "look" }
  | { kind: "pause"; reason: string }
  | { kind: "paused"; reason: string }
  | { kind: "close"; result: "promoted" | "aborted"; reason: string }
  | { kind: "closed" };

const prepare: readonly Action[] = [{ do: "start", arm: "canary" }, { do: "replayGolden" }];

/** Only needed where arms are compared: a rollback goes straight to promotion, and blue-green leaves no weight for it. */
const compare: readonly Action[] = [{ do: "start", arm: "baseline" }];

/** Nobody goes where there is no way back from. */
const proven: readonly Action[] = [{ do: "proveReturn" }];

/** Stable is pointed at the canary before any traffic leaves the old one, and shrinks last. */
const promote: readonly Action[] = [
  { do: "setStable" },
  { do: "shiftAll", to: "canary" },
  { do: "stop", arm: "baseline" },
  { do: "stop", arm: "stable" },
];

const abort: readonly Action[] = [
  { do: "shiftAll", to: "stable" },
  { do: "stop", arm: "canary" },
  { do: "stop", arm: "baseline" },
];

/** The one place where a rollout's way is decided: from its state alone. */
export function next(state: RolloutState): Next {
  if (state.closed !== undefined) return { kind: "closed" };
  if (hasBegun(state, promote)) return follow(state, promote, "promoted", state.promoting ?? "every step passed");
  if (state.aborting !== undefined) return follow(state, abort, "aborted", state.aborting);
  if (state.paused !== undefined) return { kind: "paused", reason: state.paused };

  const missing = firstMissing(state, isCompared(state) ? [...prepare, ...compare] : prepare);
  if (missing !== undefined) return { kind: "act", action: missing };
  if (state.promoting !== undefined) return follow(state, [...proven, ...promote], "promoted", state.promoting);
  if (state.step >= 0 && !state.passed.has(state.step)) return { kind: "look" };

  const step = state.step + 1;
  const wanted = state.opened.strategy.steps[step];
  if (wanted === undefined) return follow(state, [...proven, ...promote], "promoted", "every step passed");
  if (wanted.approval && !state.approved.has(step)) {
    return { kind: "pause", reason: `Step ${step + 1} (weight ${wanted.weight}) waits for approval` };
  }
  return { kind: "act", action: { do: "setWeight", step, weight: wanted.weight } };
}

function follow(state: RolloutState, way: readonly Action[], result: "promoted" | "aborted", reason: string): Next {
  const action = firstMissing(state, way);
  return action === undefined ? { kind: "close", result, reason } : { kind: "act", action };
}

function firstMissing(state: RolloutState, way: readonly Action[]): Action | undefined {
  return way.find((action) => !state.done.has(keyOf(action)));
}

function isCompared({ promoting, opened }: RolloutState): boolean {
  return promoting === undefined && opened.strategy.steps.some((step) => step.weight < 100);
}

function hasBegun(state: RolloutState, way: readonly Action[]): boolean {
  const first = way[0];
  return first !== undefined && state.intended.has(keyOf(first));
}
