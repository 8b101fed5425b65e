// A router that was started again may count from zero, for one arm or for all of them, in the middle of a step.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { judge } from "../../pipeline/src/decide/judge.ts";
import { fold, type RolloutState } from "../../pipeline/src/decide/state.ts";
import type { Sample } from "../../pipeline/src/spec/sample.ts";
import { aJournal, arms } from "../support/journal.ts";
import { aStep } from "../support/policies.ts";
import { aSample } from "../support/sample.ts";

type Counted = Record<keyof typeof arms, Sample>;

const step = { ...aStep(20), seconds: 5, maxSeconds: 10, minRequests: 50 };

/** A step of one look a second, at which the counters stood so. */
function afterLooks(counted: readonly Counted[]): RolloutState {
  const journal = aJournal({ steps: [step] })
    .prepared()
    .done({ do: "setWeight", step: 0, weight: step.weight });
  for (const { stable, canary, baseline } of counted) {
    const samples = { [arms.stable]: stable, [arms.canary]: canary, [arms.baseline]: baseline };
    journal.wait(1).add({ kind: "looked", step: 0, samples, answers: { compared: 0, changed: 0 } });
  }
  const state = fold(journal.entries);
  if (state === undefined) throw new Error("the journal is empty");
  return state;
}

function verdictOf({ looks, opened: { strategy, slo } }: RolloutState) {
  return judge(looks, step, { judge: strategy.judge, slo }).verdict;
}

/** Counters that only grow, by 20 requests a look. */
const steady = Array.from({ length: 8 }, (_, look): Counted => {
  const sample = aSample({ requests: 20 * look });
  return { stable: sample, canary: sample, baseline: sample };
});

/** The same, but the arm's counters start anew before each of these looks, and have 7 requests by then. */
function anew(arm: keyof Counted, at: readonly number[]): Counted[] {
  return steady.map((counted, look) => (at.includes(look) ? { ...counted, [arm]: aSample({ requests: 7 }) } : counted));
}

test.each(["canary", "baseline"] as const)("a look has what %s counted since its counters started anew", (arm) => {
  const other = arm === "canary" ? "baseline" : "canary";
  const { looks } = afterLooks(anew(arm, [4, 5]).slice(0, 6));
  expect(looks.map((look) => look[arm].requests)).toEqual([0, 20, 20, 20, 7, 0]);
  expect(looks.map((look) => look[other].requests)).toEqual([0, 20, 20, 20, 20, 20]);
});

test.each(["canary", "baseline"] as const)(
  "nothing is counted twice when %s is away for a look and back again",
  (arm) => {
    const journal = aJournal({ steps: [step] });
    for (const [look, counted] of steady.slice(0, 5).entries()) {
      const samples = Object.fromEntries(
        [arms.stable, arms.canary, arms.baseline].map((name) => [name, counted.stable] as const),
      );
      if (look === 2) delete samples[arms[arm]];
      journal.wait(1).add({ kind: "looked", step: 0, samples, answers: { compared: 0, changed: 0 } });
    }
    expect(fold(journal.entries)?.looks.map((look) => look[arm].requests)).toEqual([0, 20, 0, 40, 20]);
  },
);

test("counters of stable that start anew change nothing: it is not judged", () => {
  expect(afterLooks(anew("stable", [2, 3, 6]))).toEqual(afterLooks(steady));
});

test.each(["canary", "baseline", "stable"] as const)("a step passes although counters of %s started anew", (arm) => {
  expect(verdictOf(afterLooks(steady.slice(0, 6)))?.kind).toBe("pass");
  expect(verdictOf(afterLooks(anew(arm, [3]).slice(0, 6)))?.kind).toBe("pass");
});

test.each([
  ["canary", "canary had 40 requests, baseline 220"],
  ["baseline", "canary had 220 requests, baseline 40"],
] as const)("a %s that is silent once its counters started anew is named", (arm, words) => {
  const silent = Array.from({ length: 12 }, (_, look): Counted => {
    const going = aSample({ requests: 20 * look });
    const counted: Counted = { stable: going, canary: going, baseline: going };
    return { ...counted, [arm]: aSample({ requests: look < 3 ? 20 * look : 0 }) };
  });
  const verdict = verdictOf(afterLooks(silent));
  expect(verdict).toMatchObject({ kind: "inconclusive", reason: expect.stringContaining(words) });
});

/** What a counter may stand at: more errors than requests are never counted, nor latencies. */
const sample = fc.tuple(fc.nat(300), fc.nat(3)).map(([requests, errors]): Sample => {
  return aSample({ requests: requests + errors, errors });
});

test("whatever counters do, nothing seen is negative, no verdict is an error, and who is not judged is told why by arm", () => {
  const counted = fc.array(fc.record({ stable: sample, canary: sample, baseline: sample }), { maxLength: 12 });
  fc.assert(
    fc.property(counted, (all) => {
      const state = afterLooks(all);
      for (const { canary, baseline } of state.looks) {
        for (const { requests, errors, clientErrors, latency } of [canary, baseline]) {
          expect(Math.min(requests, errors, clientErrors, ...latency.map(([, count]) => count))).toBeGreaterThanOrEqual(
            0,
          );
        }
      }
      const verdict = verdictOf(state);
      expect(verdict?.kind).not.toBe("error");
      if (verdict?.kind !== "inconclusive") return;
      expect(verdict.reason).toMatch(/^Cannot judge canary: .*(canary|baseline) (had \d+ requests|is outside)/);
    }),
  );
});
