import { expect, test } from "bun:test";
import { next } from "../../pipeline/src/decide/next.ts";
import { fold } from "../../pipeline/src/decide/state.ts";
import type { Action } from "../../pipeline/src/spec/journal.ts";
import { aJournal, type JournalBuilder } from "../support/journal.ts";
import { aStep } from "../support/policies.ts";

function nextOf(journal: JournalBuilder) {
  const state = fold(journal.entries);
  if (state === undefined) throw new Error("no state");
  return next(state);
}

/** Does what is asked for until something else than an action comes next. */
function wayOf(journal: JournalBuilder): string[] {
  const way: string[] = [];
  for (;;) {
    const wanted = nextOf(journal);
    if (wanted.kind !== "act") return [...way, wanted.kind];
    way.push(wordsOf(wanted.action));
    journal.done(wanted.action);
  }
}

function wordsOf(action: Action): string {
  return Object.values(action).join(" ");
}

const prepare = ["start canary", "replayGolden", "start baseline"];
const promote = ["proveReturn", "setStable", "shiftAll canary", "stop baseline", "stop stable", "close"];
const abort = ["shiftAll stable", "stop canary", "stop baseline", "close"];

test("next() starts, replays, and looks at the first step; then one step after another, then promotion", () => {
  const journal = aJournal();
  expect(wayOf(journal)).toEqual([...prepare, "setWeight 0 10", "look"]);
  expect(wayOf(journal.judged(0, { kind: "pass" }))).toEqual(["setWeight 1 50", "look"]);
  expect(wayOf(journal.judged(1, { kind: "pass" }))).toEqual(promote);
  expect(nextOf(journal)).toEqual({ kind: "close", result: "promoted", reason: "every step passed" });
  expect(nextOf(journal.add({ kind: "closed", result: "promoted", reason: "x" }))).toEqual({ kind: "closed" });
});

test("next() goes back when a verdict says so", () => {
  const journal = aJournal()
    .prepared()
    .weight(0, 10)
    .judged(0, { kind: "fail", breaches: ["worse"] });
  expect(wayOf(journal)).toEqual(abort);
  expect(nextOf(journal)).toEqual({ kind: "close", result: "aborted", reason: "worse" });
});

test("next() waits while paused, whatever is left to do", () => {
  const journal = aJournal().commanded("pause");
  expect(nextOf(journal)).toEqual({ kind: "paused", reason: "Paused by ada: because" });
});

test("next() needs no baseline where nothing is compared: blue-green, and a promotion that an operator asked for", () => {
  const blueGreen = aJournal({ steps: [aStep(100)] });
  expect(wayOf(blueGreen)).toEqual(["start canary", "replayGolden", "setWeight 0 100", "look"]);
  const asked = aJournal().commanded("promote", "a rollback");
  expect(wayOf(asked)).toEqual(["start canary", "replayGolden", ...promote]);
  expect(nextOf(asked)).toMatchObject({ result: "promoted", reason: "Promoted by ada: a rollback" });
});

test("next() waits for approval of a step that demands it, once", () => {
  const journal = aJournal({ steps: [aStep(10), { ...aStep(50), approval: true }] })
    .prepared()
    .weight(0, 10);
  journal.judged(0, { kind: "pass" });
  const wanted = nextOf(journal);
  expect(wanted).toEqual({ kind: "pause", reason: "Step 2 (weight 50) waits for approval" });
  expect(wayOf(journal.commanded("approve"))).toEqual(["setWeight 1 50", "look"]);
});

test("next() does not turn back once stable points at the canary", () => {
  const journal = aJournal().prepared().commanded("promote").done({ do: "proveReturn" });
  journal.add({ kind: "intent", action: { do: "setStable" } }).commanded("abort");
  expect(wayOf(journal)).toEqual(promote.slice(1));
});

test("next() turns back from a promotion of which the way back is not proven", () => {
  const journal = aJournal().prepared().commanded("promote").failed({ do: "proveReturn" }, "its folder does not exist");
  expect(wayOf(journal)).toEqual(abort);
});

test("next() needs a baseline where only some steps are compared", () => {
  expect(wayOf(aJournal({ steps: [aStep(50), aStep(100)] }))).toEqual([...prepare, "setWeight 0 50", "look"]);
});
