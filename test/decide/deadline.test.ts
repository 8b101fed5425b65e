import { expect, test } from "bun:test";
import { overdue } from "../../pipeline/src/decide/deadline.ts";
import { fold, type RolloutState } from "../../pipeline/src/decide/state.ts";
import { aJournal } from "../support/journal.ts";

const { entries } = aJournal({ deadlineSeconds: 60 });
const found = fold(entries);
if (found === undefined) throw new Error("no state");
const open: RolloutState = found;

test.each([
  ["at its last moment", 60, {}, false],
  ["after it", 60.001, {}, true],
  ["after it, while it is paused", 61, { paused: "Paused by ops: lunch" }, true],
  ["after it, while it is taken back anyway", 61, { aborting: "worse" }, false],
  ["after it, once stable points at the canary", 61, { intended: new Set(["setStable"]) }, false],
  ["after it, once closed", 61, { closed: { result: "promoted", reason: "every step passed" } }, false],
] as const)("overdue() %s", (_, seconds, changes, expected) => {
  const order = overdue({ ...open, ...changes }, open.openedAt + seconds * 1000);
  expect(order !== undefined).toBe(expected);
  if (expected) {
    expect(order).toEqual({ command: "abort", by: "the deadline", reason: "not promoted within 60 s" });
  }
});
