import { expect, test } from "bun:test";
import { judge, type Look } from "../../pipeline/src/decide/judge.ts";
import type { Slo, Step } from "../../pipeline/src/spec/policy.ts";
import type { Latency, Sample } from "../../pipeline/src/spec/sample.ts";
import { aStrategy } from "../support/policies.ts";

const slo: Slo = { maxErrorRate: 0.01, latency: [{ quantile: 0.99, maxMs: 100 }] };
const step: Step = { weight: 20, seconds: 10, maxSeconds: 60, minRequests: 100, approval: false };
const { judge: policy } = aStrategy();

/** Answers of one look: `slow` of them in 50 ms, the rest in 10 ms. */
function aSample({
  requests = 20,
  errors = 0,
  slow = 0,
  at = 50,
}: {
  requests?: number;
  errors?: number;
  slow?: number;
  at?: number;
} = {}): Sample {
  const latency: Latency = [
    ...(requests > slow ? ([[10_000, requests - slow]] as Latency) : []),
    ...(slow > 0 ? ([[at * 1000, slow]] as Latency) : []),
  ];
  return { requests, errors, clientErrors: 0, latency };
}

function looks(count: number, canary: Sample, baseline: Sample, answers = { compared: 0, changed: 0 }): Look[] {
  return Array.from({ length: count }, () => ({ step: 0, answers, canary, baseline }));
}

function verdictOf(all: readonly Look[], seconds: number, wanted = step) {
  return judge(all, wanted, seconds, { judge: policy, slo }).verdict;
}

test.each([
  ["equal arms, before the step's time", looks(9, aSample(), aSample()), 9, undefined],
  ["equal arms, at the step's time", looks(10, aSample(), aSample()), 10, "pass"],
  ["too few requests, time left", looks(10, aSample({ requests: 1 }), aSample({ requests: 1 })), 10, undefined],
  ["too few requests, time over", looks(10, aSample({ requests: 1 }), aSample({ requests: 1 })), 60, "inconclusive"],
  ["nothing at all", [], 60, "inconclusive"],
  ["a silent canary", looks(10, aSample({ requests: 0 }), aSample()), 60, "inconclusive"],
  ["errors on the canary only", looks(10, aSample({ errors: 4 }), aSample()), 3, "fail"],
  ["many errors on both arms", looks(30, aSample({ errors: 4 }), aSample({ errors: 4 })), 10, "inconclusive"],
  ["a canary slower than the baseline", looks(30, aSample({ slow: 10 }), aSample()), 10, "fail"],
  ["a canary slower than the SLO", looks(30, aSample({ slow: 5, at: 150 }), aSample()), 10, "fail"],
  [
    "both arms slower than the SLO",
    looks(30, aSample({ slow: 5, at: 150 }), aSample({ slow: 5, at: 150 })),
    10,
    "inconclusive",
  ],
  ["other answers than stable's", looks(30, aSample(), aSample(), { compared: 8, changed: 2 }), 10, "fail"],
  [
    "a few other answers, as the policy allows",
    looks(100, aSample(), aSample(), { compared: 100, changed: 4 }),
    10,
    "pass",
  ],
  ["not a time", looks(10, aSample(), aSample()), Number.NaN, undefined],
] as const)("judge() on %s", (_, all, seconds, kind) => {
  expect(verdictOf(all, seconds)?.kind).toBe(kind);
});

test("judge() does not take one bad second of one process for proof", () => {
  const good = looks(20, aSample(), aSample());
  const stalled = [...good, ...looks(1, aSample({ slow: 20, at: 90 }), aSample()), ...looks(9, aSample(), aSample())];
  expect(verdictOf(stalled, 30)?.kind).toBe("pass");
});

test("judge() says in its breach how many failed on either arm, and in inconclusive how many requests are missing", () => {
  const failed = verdictOf(looks(10, aSample({ errors: 4 }), aSample()), 3);
  expect(failed).toMatchObject({ breaches: expect.arrayContaining(["40 errors in 200 requests, baseline 0 in 200"]) });
  const few = verdictOf(looks(10, aSample({ requests: 3 }), aSample()), 60);
  expect(few).toMatchObject({
    reason: expect.stringContaining("canary had 30 requests in 60 s, policy needs 100 (70 more)"),
  });
});

test("judge() counts only the current step's requests towards its minimum, but all evidence", () => {
  const earlier = looks(50, aSample(), aSample());
  const now = looks(2, aSample(), aSample()).map((look) => ({ ...look, step: 1 }));
  expect(verdictOf([...earlier, ...now], 10)).toBeUndefined();
  const bad = looks(10, aSample({ errors: 2 }), aSample());
  expect(verdictOf([...bad, ...now], 1)?.kind).toBe("fail");
});

test("judge() at weight 100 asks no baseline for requests", () => {
  const all = looks(10, aSample(), aSample({ requests: 0 }));
  expect(verdictOf(all, 10, { ...step, weight: 100 })?.kind).toBe("pass");
  expect(verdictOf(all, 10)).toBeUndefined();
});

test("judge() does not let a number that is none pass", () => {
  const broken = { ...aSample(), errors: Number.NaN };
  expect(verdictOf(looks(10, broken, aSample()), 10)?.kind).toBe("fail");
});
