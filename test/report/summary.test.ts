import { expect, test } from "bun:test";
import { RolloutSummary, summariseRollout } from "../../pipeline/src/report/summary.ts";
import { aJournal } from "../support/journal.ts";
import { aBadRollout, aGoodRollout } from "./rollouts.ts";

test("summariseRollout() counts for each step what its arms answered under its weight", () => {
  const { steps } = summariseRollout(aGoodRollout().entries);
  expect(steps.map(({ step, weight, verdict }) => [step, weight, verdict?.kind])).toEqual([
    [0, 10, "pass"],
    [1, 50, "pass"],
  ]);
  expect(steps[0]?.arms.canary).toEqual({ requests: 30, errors: 0, clientErrors: 0, p50Ms: 4, p99Ms: 20 });
  expect(steps[1]?.arms.canary.requests).toBe(30);
  expect(steps[1]?.arms.stable).toEqual({ requests: 0, errors: 0, clientErrors: 0, p50Ms: null, p99Ms: null });
  expect(steps[0]?.seconds).toBeCloseTo(3, 1);
});

test("summariseRollout() says why a canary was taken back, with errors apart from clients' own", () => {
  const summary = summariseRollout(aBadRollout().entries);
  expect(summary.status).toBe("aborted");
  expect(summary.reason).toContain("15 errors in 30 requests");
  expect(summary.steps[0]?.arms.canary).toMatchObject({ requests: 30, errors: 15, clientErrors: 6 });
  expect(summary.happenings.at(-1)?.words).toStartWith("Aborted: 15 errors");
});

test("summariseRollout() follows the weights from stable to the canary", () => {
  const { weights } = summariseRollout(aGoodRollout().entries);
  expect(weights.map(({ canary, baseline, stable }) => [canary, baseline, stable])).toEqual([
    [0, 0, 100],
    [10, 10, 80],
    [50, 50, 0],
    [100, 0, 0],
  ]);
  expect(weights.every(({ canary, baseline, stable }) => canary + baseline + stable === 100)).toBe(true);
});

test("summariseRollout() gives rates between looks, and none for the moment between two steps", () => {
  const { points } = summariseRollout(aGoodRollout().entries);
  expect(points).toHaveLength(6);
  expect(points.map(({ arms, over }) => Math.round(arms.canary.requests / over))).toEqual([10, 10, 10, 9, 10, 10]);
});

test("summariseRollout() keeps the evidence that grew against a bad canary, up to its threshold and beyond", () => {
  const { evidence } = summariseRollout(aBadRollout().entries);
  const errors = evidence.find(({ name, against }) => name === "errors" && against === "slo");
  expect(errors?.points[0]?.evidence).toBe(1);
  expect(errors?.points.at(-1)?.evidence).toBeGreaterThan(errors?.threshold ?? Number.POSITIVE_INFINITY);
  const good = summariseRollout(aGoodRollout().entries).evidence;
  expect(good.length).toBe(evidence.length);
  expect(good.every(({ points, threshold }) => points.every((point) => point.evidence < threshold))).toBe(true);
});

test.each([
  ["just opened", aJournal(), "open", ""],
  ["paused", aJournal().prepared().commanded("pause", "lunch"), "paused", "Paused by ada: lunch"],
  ["resumed", aJournal().commanded("pause").commanded("resume"), "open", ""],
  [
    "going back",
    aJournal().failed({ do: "start", arm: "canary" }, "it never became ready"),
    "open",
    "it never became ready",
  ],
] as const)("summariseRollout() of a rollout that is %s", (_, journal, status, reason) => {
  expect(summariseRollout(journal.entries)).toMatchObject({ status, reason, points: [], steps: [] });
});

test("summariseRollout() gives what survives JSON", () => {
  const summary = summariseRollout(aBadRollout().entries);
  expect(RolloutSummary.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
});

test("summariseRollout() merges looks of a long rollout until a chart can show them", () => {
  const journal = aJournal().prepared().weight(0, 10);
  for (let look = 0; look < 500; look++) journal.wait(1).look(0, { canary: { ms: [4] }, baseline: { ms: [4] } });
  const { points, evidence } = summariseRollout(journal.entries);
  expect(points.length).toBeLessThanOrEqual(121);
  expect(points.reduce((sum, { arms }) => sum + arms.canary.requests, 0)).toBe(500);
  expect(evidence[0]?.points.length).toBeLessThanOrEqual(121);
});

test("summariseRollout() refuses a journal that does not begin with opened", () => {
  expect(() => summariseRollout(aGoodRollout().entries.slice(1))).toThrow("does not begin with opened");
});
