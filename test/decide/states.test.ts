import { expect, test } from "bun:test";
import { type Next, next } from "../../pipeline/src/decide/next.ts";
import { apply, fold, keyOf, type RolloutState } from "../../pipeline/src/decide/state.ts";
import { weightsOf } from "../../pipeline/src/decide/weights.ts";
import type { Action, Command, Entry, Event } from "../../pipeline/src/spec/journal.ts";
import type { Verdict } from "../../pipeline/src/spec/verdict.ts";
import { aStrategy } from "../support/policies.ts";
import { opened } from "../support/rollout.ts";

/** The target as the actions so far left it. */
interface World {
  running: ReadonlySet<string>;
  stable: string;
  weights: Readonly<Record<string, number>>;
}

interface Place {
  state: RolloutState;
  world: World;
  /** The action whose intent is journaled and whose outcome is not. */
  pending: Action | undefined;
}

const verdicts: Verdict[] = [
  { kind: "pass" },
  { kind: "fail", breaches: ["worse"] },
  { kind: "inconclusive", reason: "too few" },
];
const commands: Command["command"][] = ["pause", "resume", "approve", "promote", "abort"];
const mayFail = new Set<Action["do"]>(["start", "replayGolden", "proveReturn"]);
const steps = aStrategy().steps.map((step, i) => ({ ...step, approval: i === 1 }));
const start = opened(aStrategy({ steps }));
const { arms } = start;

/** What `perform` does, on a world of three names. */
function act(world: World, action: Action): World {
  switch (action.do) {
    case "start":
      return { ...world, running: new Set(world.running).add(arms[action.arm]) };
    case "stop": {
      expect(world.weights[arms[action.arm]] ?? 0).toBe(0);
      expect(world.stable).not.toBe(arms[action.arm]);
      const running = new Set(world.running);
      running.delete(arms[action.arm]);
      return { ...world, running };
    }
    case "setWeight":
      return { ...world, weights: weightsOf(arms, action.weight) };
    case "shiftAll":
      return { ...world, weights: { [arms[action.to]]: 100 } };
    case "setStable":
      return { ...world, stable: arms.canary };
    case "replayGolden":
    case "proveReturn":
      return world;
  }
}

function step(place: Place, event: Event, world = place.world, pending = place.pending): Place {
  const entry: Entry = {
    seq: 1,
    previous: `sha256:${"0".repeat(64)}`,
    at: "2026-01-01T00:00:00.000Z",
    fence: 1,
    event,
  };
  return { state: apply(place.state, entry), world, pending };
}

/** Every place that one more event leads to: a kill forgets what was pending, and an action may fail or be done twice. */
function* neighbours(place: Place): Generator<Place> {
  const { state, world, pending } = place;
  if (pending !== undefined) {
    const after = act(act(world, pending), pending);
    yield { ...place, pending: undefined };
    yield { ...place, world: after, pending: undefined };
    yield step(place, { kind: "outcome", action: pending }, after, undefined);
    if (mayFail.has(pending.do)) {
      yield step(place, { kind: "outcome", action: pending, error: "it failed" }, world, undefined);
    }
    return;
  }
  if (state.closed !== undefined) return;
  for (const command of commands) yield step(place, { kind: "commanded", command: { command, by: "x", reason: "y" } });
  yield* decided(place, next(state));
}

function* decided(place: Place, wanted: Next): Generator<Place> {
  switch (wanted.kind) {
    case "act":
      yield step(place, { kind: "intent", action: wanted.action }, place.world, wanted.action);
      return;
    case "look":
      for (const verdict of verdicts)
        yield step(place, { kind: "judged", step: place.state.step, verdict, figure: "" });
      return;
    case "pause":
      yield step(place, { kind: "paused", reason: wanted.reason });
      return;
    case "close":
      yield step(place, { kind: "closed", result: wanted.result, reason: wanted.reason });
      return;
    case "paused":
    case "closed":
      return;
  }
}

function nameOf({ state, world, pending }: Place): string {
  const sorted = (items: Iterable<unknown>) => [...items].map(String).sort().join();
  const { step: at, paused, aborting, promoting, closed } = state;
  const flags = [paused, aborting, promoting].map((reason) => (reason === undefined ? 0 : 1)).join("");
  const sets = [state.intended, state.done, state.passed, state.approved, world.running].map(sorted).join("|");
  const place = `${JSON.stringify(world.weights)} ${world.stable}`;
  return `${at} ${flags} ${closed?.result} ${sets} ${place} ${pending === undefined ? "" : keyOf(pending)}`;
}

/** What holds at every moment of every rollout. */
function demandInvariants({ state, world }: Place): void {
  const shares = Object.entries(world.weights);
  expect(shares.reduce((sum, [, share]) => sum + share, 0)).toBe(100);
  for (const [arm] of shares) expect(world.running.has(arm)).toBe(true);
  expect(world.running.has(world.stable)).toBe(true);
  if (world.weights[arms.canary] !== undefined) expect(state.done.has("replayGolden")).toBe(true);
  const isEnding = state.aborting !== undefined || state.intended.has("setStable") || state.closed !== undefined;
  if (state.paused !== undefined && !isEnding) expect(next(state).kind).toBe("paused");
  if (state.closed === undefined) return;
  expect(state.closed.reason).not.toBe("");
  const left = state.closed.result === "promoted" ? arms.canary : arms.stable;
  expect([world.weights, world.stable, [...world.running]]).toEqual([{ [left]: 100 }, left, [left]]);
}

test("every reachable state of a rollout keeps the invariants, and every one leads to an end", () => {
  const first = fold([
    { seq: 0, previous: `sha256:${"0".repeat(64)}`, at: "2026-01-01T00:00:00.000Z", fence: 1, event: start },
  ]);
  if (first === undefined) throw new Error("no state");
  const world: World = { running: new Set([arms.stable]), stable: arms.stable, weights: { [arms.stable]: 100 } };
  const queue: Place[] = [{ state: first, world, pending: undefined }];
  const from = new Map<string, string[]>();
  const ends: string[] = [];
  const seen = new Set(queue.map(nameOf));
  for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
    demandInvariants(place);
    const name = nameOf(place);
    if (place.state.closed !== undefined) ends.push(name);
    for (const after of neighbours(place)) {
      const other = nameOf(after);
      from.set(other, [...(from.get(other) ?? []), name]);
      if (!seen.has(other)) queue.push(after);
      seen.add(other);
    }
  }
  const ending = new Set(ends);
  for (const name of ending) for (const before of from.get(name) ?? []) ending.add(before);
  expect(seen.size).toBeGreaterThan(500);
  expect([...seen].filter((name) => !ending.has(name))).toEqual([]);
});
