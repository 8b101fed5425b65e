import type { Action, Entry, Event, Result } from "../spec/journal.ts";
import { emptySample } from "../spec/sample.ts";
import { explain } from "../spec/verdict.ts";
import type { Look } from "./judge.ts";
import type { Delta } from "./metric.ts";
import { since } from "./sample.ts";

export type Opened = Extract<Event, { kind: "opened" }>;

/** A rollout as its journal tells it. */
export interface RolloutState {
  opened: Opened;
  /** When it was opened, milliseconds since the epoch. */
  openedAt: number;
  /** Actions begun, as `keyOf` names them: after a crash they may or may not have happened. */
  intended: ReadonlySet<string>;
  /** Actions done. */
  done: ReadonlySet<string>;
  /** Index of the step whose weight is set, -1 before the first. */
  step: number;
  /** When that weight was set, milliseconds since the epoch. */
  stepSince: number;
  looks: readonly Look[];
  /** When traffic was last looked at, or began to flow in this step, milliseconds since the epoch. */
  seenAt: number;
  /** Counts an operator's resumes: each lets the judge begin anew. */
  attempt: number;
  /** What both arms had counted at the last look of this attempt. */
  counted: Delta | undefined;
  /** Steps that passed. */
  passed: ReadonlySet<number>;
  /** Steps an operator approved. */
  approved: ReadonlySet<number>;
  /** Why traffic goes back to stable. */
  aborting: string | undefined;
  /** Why nothing goes on until an operator says so. */
  paused: string | undefined;
  /** An operator cut the remaining steps short. */
  promoting: string | undefined;
  closed: { result: Result; reason: string } | undefined;
}

/** Two intents with the same key ask for the same thing. */
export function keyOf(action: Action): string {
  switch (action.do) {
    case "start":
    case "stop":
      return `${action.do} ${action.arm}`;
    case "setWeight":
      return `setWeight ${action.step}`;
    case "shiftAll":
      return `shiftAll ${action.to}`;
    case "replayGolden":
    case "proveReturn":
    case "setStable":
      return action.do;
  }
}

/** Reads a journal from its first entry; undefined when there is none. */
export function fold(entries: readonly Entry[]): RolloutState | undefined {
  const [first, ...rest] = entries;
  if (first?.event.kind !== "opened") return undefined;
  return rest.reduce(apply, begin(first.event, Date.parse(first.at)));
}

/** The state right after a rollout was opened. */
function begin(opened: Opened, openedAt: number): RolloutState {
  return {
    opened,
    openedAt,
    intended: new Set(),
    done: new Set(),
    step: -1,
    stepSince: Number.NaN,
    looks: [],
    seenAt: Number.NaN,
    attempt: 0,
    counted: undefined,
    passed: new Set(),
    approved: new Set(),
    aborting: undefined,
    paused: undefined,
    promoting: undefined,
    closed: undefined,
  };
}

/** The state after one more entry. */
export function apply(state: RolloutState, entry: Entry): RolloutState {
  const { event } = entry;
  switch (event.kind) {
    case "opened":
      return state;
    case "intent":
      return { ...state, intended: new Set(state.intended).add(keyOf(event.action)) };
    case "outcome":
      return afterOutcome(state, event, Date.parse(entry.at));
    case "looked":
      return afterLook(state, event, Date.parse(entry.at));
    case "judged":
      return afterVerdict(state, event);
    case "paused":
      return { ...state, paused: event.reason };
    case "commanded":
      return afterCommand(state, event);
    case "closed":
      return { ...state, closed: { result: event.result, reason: event.reason } };
  }
}

function afterOutcome(state: RolloutState, event: Extract<Event, { kind: "outcome" }>, at: number): RolloutState {
  if (event.error !== undefined) return { ...state, aborting: state.aborting ?? event.error };
  const done = new Set(state.done).add(keyOf(event.action));
  if (event.action.do !== "setWeight") return { ...state, done };
  return { ...state, done, step: event.action.step, stepSince: at, seenAt: at };
}

function afterVerdict(state: RolloutState, event: Extract<Event, { kind: "judged" }>): RolloutState {
  const { verdict, step } = event;
  switch (verdict.kind) {
    case "pass":
      return { ...state, passed: new Set(state.passed).add(step) };
    case "fail":
    case "error":
      return { ...state, aborting: state.aborting ?? explain(verdict) };
    case "inconclusive":
      return { ...state, paused: verdict.reason };
  }
}

function afterCommand(state: RolloutState, event: Extract<Event, { kind: "commanded" }>): RolloutState {
  const { command, by, reason } = event.command;
  const words = `${by}: ${reason}`;
  switch (command) {
    case "pause":
      return { ...state, paused: `Paused by ${words}` };
    case "resume":
      // The step begins anew, so that its window and its verdict count from now, and not what came during the pause.
      return { ...state, paused: undefined, attempt: state.attempt + 1, counted: undefined, ...restarted(state) };
    case "approve":
      return { ...state, paused: undefined, approved: new Set(state.approved).add(state.step + 1) };
    case "promote":
      return { ...state, paused: undefined, promoting: `Promoted by ${words}` };
    case "abort":
      return { ...state, paused: undefined, aborting: `Aborted by ${words}` };
  }
}

function restarted(state: RolloutState): Pick<RolloutState, "done" | "step"> {
  if (state.step < 0 || state.passed.has(state.step)) return { done: state.done, step: state.step };
  const done = new Set(state.done);
  done.delete(`setWeight ${state.step}`);
  return { done, step: state.step - 1 };
}

/** At the first look, and the first after a resume, nothing is new: what the arms had counted until then is not judged. */
function afterLook(state: RolloutState, event: Extract<Event, { kind: "looked" }>, at: number): RolloutState {
  const { step, samples, answers } = event;
  const { arms, strategy } = state.opened;
  // An arm that a sample lacks has answered nothing more: what it had counted stays known until it is back.
  const countedOf = (arm: keyof Delta) => samples[arms[arm]] ?? state.counted?.[arm] ?? emptySample;
  const counted = { canary: countedOf("canary"), baseline: countedOf("baseline") };
  const before = state.counted ?? counted;
  const canary = since(before.canary, counted.canary);
  const baseline = since(before.baseline, counted.baseline);
  const seconds = secondsBetween(state.seenAt, at, strategy.lookSeconds);
  const look: Look = { attempt: state.attempt, step, seconds, answers, canary, baseline };
  return { ...state, counted, seenAt: at, looks: [...state.looks, look] };
}

/**
 * A clock that was set back makes one look last no time, one set forward (or a pause in which nobody looked) at most
 * three looks' time: no step passes by the clock alone.
 */
function secondsBetween(from: number, to: number, lookSeconds: number): number {
  return Math.min(Math.max(0, (to - from) / 1000), 3 * lookSeconds);
}
