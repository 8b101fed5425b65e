import { describe, expect, test } from "bun:test";
import { fold, type RolloutState } from "../../pipeline/src/decide/state.ts";
import type { Verdict } from "../../pipeline/src/spec/verdict.ts";
import { aJournal, type JournalBuilder } from "../support/journal.ts";

function stateOf(journal: JournalBuilder): RolloutState {
  const state = fold(journal.entries);
  if (state === undefined) throw new Error("no state");
  return state;
}

const one = { canary: { ms: [10] }, baseline: { ms: [10] } };

test("fold() of nothing, or of what does not begin with opened, is no state", () => {
  expect(fold([])).toBeUndefined();
  expect(fold(aJournal().prepared().entries.slice(1))).toBeUndefined();
});

describe("fold() of looks", () => {
  test("counts what is new to each, and nothing at the first: what came before was not this rollout's", () => {
    const before = aJournal()
      .prepared()
      .look(0, { canary: { ms: [10, 10] }, baseline: { ms: [10] } });
    const { looks } = stateOf(
      before
        .weight(0, 10)
        .wait(1)
        .look(0, { canary: { ms: [20], errors: 1 } }),
    );
    expect(looks.map(({ canary, baseline }) => [canary.requests, baseline.requests])).toEqual([
      [0, 0],
      [0, 0],
      [1, 0],
    ]);
    expect(looks.at(-1)?.canary).toEqual({ requests: 1, errors: 1, clientErrors: 0, latency: [[20_000, 1]] });
  });

  test("takes each look's time from the look before, the first of a step from its weight", () => {
    const journal = aJournal().prepared().weight(0, 10).wait(1).look(0, one).wait(1.5).look(0, one);
    expect(stateOf(journal.wait(4).weight(1, 50).wait(1).look(1, one)).looks.map(({ seconds }) => seconds)).toEqual([
      0, 1, 1.5, 0, 1,
    ]);
  });

  test("lets a clock that is set back stand still, and one that is set forward run for three looks at most", () => {
    const slower = aJournal({ lookSeconds: 5 }).prepared().weight(0, 10).wait(3600).look(0, one);
    expect(stateOf(slower).looks.at(-1)?.seconds).toBe(15);
    const journal = aJournal().prepared().weight(0, 10).wait(3600).look(0, one).wait(-7200).look(0, one);
    expect(stateOf(journal.wait(1).look(0, one)).looks.map(({ seconds }) => seconds)).toEqual([0, 3, 0, 1]);
  });

  test("takes an arm that the router does not know for one without requests", () => {
    const { looks } = stateOf(
      aJournal()
        .prepared()
        .weight(0, 10)
        .wait(1)
        .look(0, { baseline: { ms: [10] } }),
    );
    expect(looks.at(-1)).toMatchObject({ canary: { requests: 0 }, baseline: { requests: 1 } });
  });
});

describe("fold() of verdicts", () => {
  const reason = "because";
  const verdicts: Record<Verdict["kind"], Verdict> = {
    pass: { kind: "pass" },
    fail: { kind: "fail", breaches: [reason] },
    error: { kind: "error", reason },
    inconclusive: { kind: "inconclusive", reason },
  };

  test.each([
    ["pass", { passed: new Set([0]), aborting: undefined, paused: undefined }],
    ["fail", { passed: new Set(), aborting: "because", paused: undefined }],
    ["error", { passed: new Set(), aborting: "because", paused: undefined }],
    ["inconclusive", { passed: new Set(), aborting: undefined, paused: "because" }],
  ] as const)("%s leads on, back, or to a pause", (kind, expected) => {
    const journal = aJournal().prepared().weight(0, 10).judged(0, verdicts[kind]);
    expect(stateOf(journal)).toMatchObject(expected);
  });

  test("keeps the first reason to go back", () => {
    const journal = aJournal()
      .prepared()
      .weight(0, 10)
      .judged(0, { kind: "fail", breaches: ["first"] });
    journal.judged(0, { kind: "error", reason: "second" }).failed({ do: "stop", arm: "canary" }, "third");
    expect(stateOf(journal).aborting).toBe("first");
  });

  test("takes an action that failed for a reason to go back, and not for done", () => {
    const state = stateOf(aJournal().failed({ do: "start", arm: "canary" }, "it never became ready"));
    expect(state.aborting).toBe("it never became ready");
    expect(state.intended).toEqual(new Set(["start canary"]));
    expect(state.done).toEqual(new Set());
  });
});

describe("fold() of commands", () => {
  const inStep = () => aJournal().prepared().weight(0, 10).wait(1).look(0, one);

  test("pause and resume let the step begin anew, with a window and a verdict of its own", () => {
    const paused = stateOf(inStep().commanded("pause"));
    expect(paused).toMatchObject({ paused: "Paused by ada: because", step: 0, attempt: 0 });
    expect(paused.done.has("setWeight 0")).toBe(true);
    const resumed = stateOf(inStep().commanded("pause").commanded("resume"));
    expect(resumed).toMatchObject({ paused: undefined, step: -1, attempt: 1 });
    expect(resumed.done.has("setWeight 0")).toBe(false);
    const again = inStep().commanded("pause").wait(60).commanded("resume").weight(0, 10).wait(1).look(0, one);
    expect(stateOf(again).looks.map(({ attempt, seconds }) => [attempt, seconds])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });

  test("resume lets nothing count that came during the pause", () => {
    const resumed = inStep().commanded("pause").commanded("resume").done({ do: "setWeight", step: 0, weight: 10 });
    const { looks } = stateOf(
      resumed
        .look(0, { canary: { ms: [900, 900], errors: 2 } })
        .wait(1)
        .look(0, one),
    );
    const own = looks.filter(({ attempt }) => attempt === 1);
    expect(own.map(({ canary }) => canary.requests)).toEqual([0, 1]);
  });

  test("resume keeps a step that passed, and one that did not begin", () => {
    const passed = inStep().judged(0, { kind: "pass" }).commanded("pause").commanded("resume");
    expect(stateOf(passed)).toMatchObject({ step: 0, passed: new Set([0]) });
    expect(stateOf(passed).done.has("setWeight 0")).toBe(true);
    expect(stateOf(aJournal().prepared().commanded("pause").commanded("resume")).step).toBe(-1);
  });

  test("approve is for the step that comes next, and no other", () => {
    expect(stateOf(aJournal().prepared().commanded("approve")).approved).toEqual(new Set([0]));
    const state = stateOf(
      inStep().judged(0, { kind: "pass" }).add({ kind: "paused", reason: "waits" }).commanded("approve"),
    );
    expect(state).toMatchObject({ approved: new Set([1]), paused: undefined });
  });

  test("promote and abort end a pause, each with who asked and why", () => {
    expect(stateOf(inStep().commanded("pause").commanded("promote", "seen enough"))).toMatchObject({
      paused: undefined,
      promoting: "Promoted by ada: seen enough",
    });
    expect(stateOf(inStep().commanded("pause").commanded("abort", "no"))).toMatchObject({
      paused: undefined,
      aborting: "Aborted by ada: no",
    });
  });
});

test("fold() keeps when it was opened, when a weight was set, and how it was closed", () => {
  const journal = aJournal().wait(5).prepared().weight(0, 10);
  const state = stateOf(journal.aborted("worse"));
  expect(state.stepSince - state.openedAt).toBeCloseTo(5_400, 3);
  expect(state).toMatchObject({ step: 0, closed: { result: "aborted", reason: "worse" } });
});
