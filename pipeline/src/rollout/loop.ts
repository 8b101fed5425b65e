import { overdue } from "../decide/deadline.ts";
import { type Judgement, judge } from "../decide/judge.ts";
import { next } from "../decide/next.ts";
import { apply, fold, keyOf, type RolloutState } from "../decide/state.ts";
import { DeployError } from "../spec/error.ts";
import type { Action, Entry, Event } from "../spec/journal.ts";
import type { Lease } from "../spec/lease.ts";
import type { Answers, Samples } from "../spec/sample.ts";
import { type Effects, perform } from "./perform.ts";
import type { Clock, Store } from "./ports.ts";

/** What a rollout runs with. `onEntry` hears each journal entry, `onLook` each judgement, for progress only. */
export interface Loop extends Effects {
  rollout: string;
  lease: Lease;
  store: Store;
  clock: Clock;
  /** Aborted when the process is asked to end: the loop stops between two actions and the rollout stays open. */
  signal: AbortSignal;
  onEntry(entry: Entry, state: RolloutState): void;
  onLook(judgement: Judgement, state: RolloutState): void;
}

/**
 * Takes a rollout from wherever its journal stands to its end, to a pause, or to `signal`. Each turn reads the state,
 * decides, journals the intent, acts, journals the outcome: a kill between any two leaves a journal to go on from.
 */
export async function run(loop: Loop): Promise<RolloutState> {
  let state = await read(loop);
  while (!loop.signal.aborted) {
    state = await takeCommands(loop, state);
    const wanted = next(state);
    switch (wanted.kind) {
      case "act":
        state = await act(loop, state, wanted.action);
        break;
      case "look":
        state = await look(loop, state);
        break;
      case "pause":
        state = await record(loop, state, { kind: "paused", reason: wanted.reason });
        break;
      case "close":
        state = await record(loop, state, { kind: "closed", result: wanted.result, reason: wanted.reason });
        break;
      case "paused":
      case "closed":
        return state;
    }
  }
  return state;
}

async function read({ store, rollout }: Loop): Promise<RolloutState> {
  const state = fold(await store.readJournal(rollout));
  if (state === undefined) throw new DeployError("E_STATE", `Cannot run rollout ${rollout}: its journal is empty`);
  return state;
}

async function record(loop: Loop, state: RolloutState, event: Event): Promise<RolloutState> {
  const entry = await loop.store.append(loop.rollout, loop.lease, event);
  const after = apply(state, entry);
  loop.onEntry(entry, after);
  return after;
}

async function takeCommands(loop: Loop, state: RolloutState): Promise<RolloutState> {
  let after = state;
  for (const { id, command } of await loop.store.readCommands()) {
    after = await record(loop, after, { kind: "commanded", command });
    await loop.store.forgetCommand(id);
  }
  const order = overdue(after, loop.clock.now());
  return order === undefined ? after : record(loop, after, { kind: "commanded", command: order });
}

async function act(loop: Loop, state: RolloutState, action: Action): Promise<RolloutState> {
  const intended = await record(loop, state, { kind: "intent", action });
  try {
    await perform(action, state.opened, loop);
  } catch (error) {
    if (!speaksAgainst(action, error)) throw error;
    return record(loop, intended, { kind: "outcome", action, error: error.message });
  }
  const done = await record(loop, intended, { kind: "outcome", action });
  // The first look of a step is taken before its traffic, so that it begins at zero.
  return action.do === "setWeight" ? observe(loop, done, noAnswers) : done;
}

/**
 * A release that does not start, answers wrongly or could not be returned from is turned away; a target that cannot be
 * reached is nobody's verdict.
 */
function speaksAgainst(action: Action, error: unknown): error is DeployError {
  if (!(error instanceof DeployError)) return false;
  if (action.do === "start") return error.code === "E_STATE" || error.code === "E_DIGEST";
  if (action.do === "proveReturn")
    return error.code === "E_STATE" || error.code === "E_DIGEST" || error.code === "E_FILE";
  return action.do === "replayGolden" && error.code === "E_GATE";
}

async function look(loop: Loop, state: RolloutState): Promise<RolloutState> {
  const { strategy, slo } = state.opened;
  const step = strategy.steps[state.step];
  if (step === undefined) throw new Error(`Rollout ${loop.rollout} is at step ${state.step}, which its policy lacks`);
  const [answers] = await Promise.all([compare(loop, state), loop.clock.sleep(strategy.lookSeconds * 1000)]);
  const seen = await observe(loop, state, answers);
  const judgement = judge(seen.looks, step, { judge: strategy.judge, slo });
  loop.onLook(judgement, seen);
  if (judgement.verdict === undefined) return seen;
  const { verdict, figure } = judgement;
  return record(loop, seen, { kind: "judged", step: state.step, verdict, figure });
}

const noAnswers: Answers = { compared: 0, changed: 0 };

/**
 * Past the router, so that the comparison is no part of either arm's traffic. While an arm is being brought back nothing
 * is compared: its failed requests speak for themselves.
 */
async function compare({ runtime, compareAnswers }: Loop, { opened, done }: RolloutState): Promise<Answers> {
  const { arms, strategy } = opened;
  const count = strategy.judge.answersPerLook;
  if (count === 0) return noAnswers;
  const hasBaseline = done.has(keyOf({ do: "start", arm: "baseline" }));
  const ids = [arms.stable, arms.canary, ...(hasBaseline ? [arms.baseline] : [])];
  const addresses = await Promise.all(ids.map((id) => runtime.addressOf(id))).catch(unlessAway);
  const [stable, canary, baseline] = addresses ?? [];
  if (stable === undefined || canary === undefined) return noAnswers;
  return compareAnswers(baseline === undefined ? { stable, canary } : { stable, canary, baseline }, count);
}

function unlessAway(error: unknown): undefined {
  if (!(error instanceof DeployError && error.code === "E_STATE")) throw error;
}

async function observe(loop: Loop, state: RolloutState, answers: Answers): Promise<RolloutState> {
  const all = await loop.router.readSamples();
  const ours: Samples = {};
  for (const id of Object.values(state.opened.arms)) {
    const sample = all[id];
    if (sample !== undefined) ours[id] = sample;
  }
  return record(loop, state, { kind: "looked", step: state.step, samples: ours, answers });
}
