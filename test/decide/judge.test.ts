import { expect, test } from "bun:test";
import { judge, type Look } from "../../pipeline/src/decide/judge.ts";
import type { Slo, Step } from "../../pipeline/src/spec/policy.ts";
import type { Answers, Latency, Sample } from "../../pipeline/src/spec/sample.ts";
import { aStrategy } from "../support/policies.ts";
import { aSample } from "../support/sample.ts";

const slo: Slo = { maxErrorRate: 0.01, latency: [{ quantile: 0.99, maxMs: 100 }] };
const step: Step = { weight: 20, seconds: 10, maxSeconds: 60, minRequests: 100, approval: false };
const { judge: policy } = aStrategy();

/** So many looks alike, one second apart. */
function looks(
  count: number,
  canary: Sample,
  baseline: Sample,
  answers: Answers = { compared: 0, changed: 0 },
): Look[] {
  return Array.from({ length: count }, () => ({ attempt: 0, step: 0, seconds: 1, answers, canary, baseline }));
}

function verdictOf(all: readonly Look[], wanted = step) {
  return judge(all, wanted, { judge: policy, slo }).verdict;
}

const few = aSample({ requests: 1 });
const none = aSample({ requests: 0 });

test.each([
  ["equal arms, before the step's time", looks(9, aSample(), aSample()), undefined],
  ["equal arms, at the step's time", looks(10, aSample(), aSample()), "pass"],
  ["exactly as many requests as it needs", looks(10, aSample({ requests: 10 }), aSample({ requests: 10 })), "pass"],
  ["too few requests of the baseline alone", looks(10, aSample({ requests: 12 }), aSample({ requests: 9 })), undefined],
  ["too few requests, time left", looks(10, few, few), undefined],
  ["too few requests, time over", looks(60, few, few), "inconclusive"],
  ["nothing at all", looks(60, none, none), "inconclusive"],
  ["no look at all", [], undefined],
  ["a silent canary", looks(60, none, few), "inconclusive"],
  ["a silent baseline", looks(60, few, none), "inconclusive"],
  ["errors on the canary only", looks(10, aSample({ errors: 4 }), aSample()), "fail"],
  ["errors on both arms, far more on the canary", looks(60, aSample({ errors: 18 }), aSample({ errors: 4 })), "fail"],
  ["many errors on both arms", looks(30, aSample({ errors: 4 }), aSample({ errors: 4 })), "inconclusive"],
  ["a canary slower than the baseline", looks(30, aSample({ slow: 10 }), aSample()), "fail"],
  ["a canary slower than the SLO", looks(30, aSample({ slow: 5, at: 150 }), aSample()), "fail"],
  [
    "both arms slower than the SLO",
    looks(30, aSample({ slow: 5, at: 150 }), aSample({ slow: 5, at: 150 })),
    "inconclusive",
  ],
  ["other answers than stable's", looks(30, aSample(), aSample(), { compared: 8, changed: 2 }), "fail"],
  ["a few other answers, as the policy allows", looks(99, aSample(), aSample(), { compared: 100, changed: 4 }), "pass"],
] as const)("judge() on %s", (_, all, kind) => {
  expect(verdictOf(all)?.kind).toBe(kind);
});

test("judge() does not take one bad second of one process for proof", () => {
  const good = looks(20, aSample(), aSample());
  const stalled = [...good, ...looks(1, aSample({ slow: 20, at: 90 }), aSample()), ...looks(9, aSample(), aSample())];
  expect(verdictOf(stalled)?.kind).toBe("pass");
});

test("judge() takes back a canary that fails every request, though not for its first second", () => {
  const broken = aSample({ errors: 20 });
  expect(verdictOf(looks(1, broken, aSample()))).toBeUndefined();
  expect(verdictOf(looks(4, broken, aSample()))?.kind).toBe("fail");
});

test("judge() says in its breach how many failed on either arm, and in inconclusive how many requests are missing", () => {
  const failed = verdictOf(looks(10, aSample({ errors: 4 }), aSample()));
  expect(failed).toMatchObject({ breaches: expect.arrayContaining(["40 errors in 200 requests, baseline 0 in 200"]) });
  const few = verdictOf(looks(60, aSample({ requests: 1 }), aSample({ requests: 1 })));
  expect(few).toMatchObject({
    reason: expect.stringContaining("canary had 60 requests in 60 s, policy needs 100 (40 more)"),
  });
});

test("judge() counts only the current step's requests towards its minimum, but all evidence", () => {
  const earlier = looks(50, aSample(), aSample());
  const now = looks(11, aSample({ requests: 9 }), aSample({ requests: 9 })).map((look) => ({ ...look, step: 1 }));
  expect(verdictOf([...earlier, ...now])).toBeUndefined();
  const bad = looks(10, aSample({ errors: 2 }), aSample());
  expect(verdictOf([...bad, ...now])?.kind).toBe("fail");
});

test("judge() begins anew with each attempt, its evidence and its time", () => {
  const bad = looks(30, aSample({ errors: 4 }), aSample({ errors: 4 }));
  const again = looks(10, aSample(), aSample()).map((look) => ({ ...look, attempt: 1 }));
  expect(verdictOf([...bad, ...again])?.kind).toBe("pass");
  expect(verdictOf([...bad, ...again.slice(1)])).toBeUndefined();
});

test("judge() at weight 100 asks no baseline for requests", () => {
  const all = looks(10, aSample(), none);
  expect(verdictOf(all, { ...step, weight: 100 })?.kind).toBe("pass");
});

test("judge() cannot compare arms whose traffic is not as the weights say, and says why", () => {
  const canary = { ...aSample({ requests: 5 }), clientErrors: 15 };
  const verdict = verdictOf(looks(10, canary, aSample()));
  expect(verdict).toEqual({
    kind: "inconclusive",
    reason:
      "Cannot judge canary: traffic is skewed: canary had 50 requests, baseline 200, weights are 20 to 20 (besides, 150 and 0 were answered 4xx)",
  });
  expect(verdictOf(looks(10, aSample(), canary))?.kind).toBe("inconclusive");
});

test("judge() takes weights for what they are: three times the requests at weight 75 are no skew", () => {
  const all = looks(10, aSample({ requests: 60 }), aSample());
  expect(verdictOf(all, { ...step, weight: 75 })?.kind).toBe("pass");
  expect(verdictOf(all, { ...step, weight: 50 })?.kind).toBe("inconclusive");
});

test("judge() blames a canary for errors even where traffic is skewed", () => {
  expect(verdictOf(looks(10, aSample({ requests: 5, errors: 3 }), aSample()))?.kind).toBe("fail");
});

test("judge() takes what the baseline changes too for noise, and only what exceeds it for the canary's", () => {
  const answered = (changed: number, noise: number) => looks(30, aSample(), aSample(), { compared: 8, changed, noise });
  expect(verdictOf(answered(2, 2))?.kind).toBe("pass");
  expect(verdictOf(answered(2, 0))).toMatchObject({
    kind: "fail",
    breaches: ["60 of 240 answers differ from stable's, baseline's 0, policy allows 4 %"],
  });
});

test("judge() lets a canary be slower by less than matters, relative or absolute", () => {
  const at = (ms: number) => ({ ...aSample(), latency: [[ms * 1000, 20]] as Latency });
  const verdict = (canaryMs: number, slowdown: { ratio: number; ms: number }) =>
    judge(looks(60, at(canaryMs), at(10)), step, { judge: { ...policy, slowdown }, slo }).verdict?.kind;
  expect(verdict(13, { ratio: 1.4, ms: 0 })).toBe("pass");
  expect(verdict(13, { ratio: 1.2, ms: 0 })).toBe("fail");
  expect(verdict(13, { ratio: 1, ms: 4 })).toBe("pass");
  expect(verdict(13, { ratio: 1, ms: 2 })).toBe("fail");
});

test.each([
  ["errors", { errors: Number.NaN }],
  ["requests", { requests: Number.NaN }],
])("judge() cannot measure %s that are no number, and says so", (_, broken) => {
  const verdict = verdictOf(looks(10, { ...aSample(), ...broken }, aSample()));
  expect(verdict).toMatchObject({ kind: "error", reason: expect.stringContaining("is not a number") });
});

/** A judge who sees nothing against the baseline: what is left is the SLO. */
const absolute = { judge: { ...policy, ratio: 100 }, slo };

test("judge() blames a canary that breaks the SLO alone, and one that breaks more of it than the baseline does", () => {
  const verdict = (canary: Sample, baseline: Sample) => judge(looks(30, canary, baseline), step, absolute).verdict;
  expect(verdict(aSample({ errors: 4 }), aSample())).toEqual({
    kind: "fail",
    breaches: ["120 errors in 600 requests, SLO allows 1 %"],
  });
  const both = aSample({ errors: 4, slow: 5, at: 150 });
  expect(verdict(both, aSample({ errors: 4 }))).toMatchObject({ kind: "fail" });
  expect(verdict(both, both)).toEqual({
    kind: "inconclusive",
    reason:
      "Cannot judge canary: baseline is outside the SLO as well: 120 errors in 600 requests, SLO allows 1 %; p99 150 ms, SLO allows 100 ms",
  });
});

test("judge() gives the comparison until the step's end where both arms break the SLO", () => {
  const [both, worse] = [aSample({ errors: 4 }), aSample({ errors: 9 })];
  expect(verdictOf(looks(9, both, both))).toBeUndefined();
  expect(verdictOf(looks(10, both, both))?.kind).toBe("inconclusive");
  const long = { ...step, seconds: 60 };
  expect(verdictOf(looks(20, worse, both), long)).toBeUndefined();
  expect(verdictOf(looks(59, worse, both), long)?.kind).toBe("fail");
});

test("judge() names the arm that had too few requests", () => {
  const verdict = verdictOf(looks(60, aSample({ requests: 2 }), aSample({ requests: 1 })));
  expect(verdict).toMatchObject({ reason: expect.stringContaining("baseline had 60 requests in 60 s") });
});

test("judge() keeps the figures of the step: what each arm answered, and how fast", () => {
  const silent = { ...none, errors: 3, requests: 3 };
  const before = looks(5, aSample(), aSample());
  const all = [...before, ...looks(2, aSample({ slow: 10 }), silent).map((look) => ({ ...look, step: 1 }))];
  expect(judge(all, step, { judge: policy, slo }).figure).toBe(
    "canary 40 requests, 0 errors, p50 10 ms, p99 50 ms; baseline 6 requests, 6 errors, no latency",
  );
});
