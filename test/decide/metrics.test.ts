import { describe, expect, test } from "bun:test";
import { answersMetric } from "../../pipeline/src/decide/answers.ts";
import { evidence } from "../../pipeline/src/decide/evidence.ts";
import { countIn, type Metric } from "../../pipeline/src/decide/metric.ts";
import { absoluteMetrics, relativeMetrics, sumOf } from "../../pipeline/src/decide/metrics.ts";
import { slownessAgainstBaseline } from "../../pipeline/src/decide/slowness.ts";
import { share, trials } from "../../pipeline/src/decide/trials.ts";
import type { JudgePolicy, Slo } from "../../pipeline/src/spec/policy.ts";
import type { Latency, Sample } from "../../pipeline/src/spec/sample.ts";
import { aStrategy } from "../support/policies.ts";
import { aSample } from "../support/sample.ts";

const policy: JudgePolicy = {
  ...aStrategy().judge,
  latencyQuantiles: [0.9],
  slowdown: { ratio: 1, ms: 0 },
  evidencePerLook: 8,
};
const slo: Slo = { maxErrorRate: 0.01, latency: [{ quantile: 0.99, maxMs: 100 }] };

function named(metrics: readonly Metric[], name: string): Metric {
  const found = metrics.find((metric) => metric.name === name);
  if (found === undefined) throw new Error(`no metric ${name}`);
  return found;
}

describe("trials()", () => {
  test("holds hits against the odds of the allowed rate", () => {
    expect(trials(3, 10, 0.2)).toEqual({ hits: 3, misses: 7, odds: 0.25 });
  });

  test("does not count fewer than no misses", () => {
    expect(trials(3, 2, 0.2)).toMatchObject({ hits: 3, misses: 0 });
  });
});

describe("share()", () => {
  test("expects events as the requests fell, times the ratio that matters", () => {
    const delta = { canary: aSample({ requests: 30 }), baseline: aSample({ requests: 10 }) };
    expect(share(delta, 2, 1, policy)).toEqual({ hits: 2, misses: 1, odds: 4.5 });
  });

  test.each([
    ["canary", { canary: aSample({ requests: 0 }), baseline: aSample() }],
    ["baseline", { canary: aSample(), baseline: aSample({ requests: 0 }) }],
  ])("says nothing without requests of the %s", (_, delta) => {
    expect(share(delta, 2, 1, policy)).toEqual({ hits: 0, misses: 0, odds: policy.ratio });
  });
});

describe("relativeMetrics()", () => {
  test("are errors, then one for each quantile", () => {
    const metrics = relativeMetrics([], { ...policy, latencyQuantiles: [0.5, 0.9] });
    expect(metrics.map(({ name, against }) => `${name} ${against}`)).toEqual([
      "errors baseline",
      "p50 baseline",
      "p90 baseline",
    ]);
    expect(metrics.map((metric) => metric.evidence)).toEqual([1, 1, 1].map((one) => expect.closeTo(one, 12)));
  });

  test("hold errors of the canary against the baseline's, look by look", () => {
    const deltas = [
      { canary: aSample({ errors: 2 }), baseline: aSample({ errors: 1 }) },
      { canary: aSample({ requests: 40, errors: 9 }), baseline: aSample() },
    ];
    const errors = named(relativeMetrics(deltas, policy), "errors");
    const expected = evidence(
      [
        { hits: 2, misses: 1, odds: 1.5 },
        { hits: 9, misses: 0, odds: 3 },
      ],
      policy.evidencePerLook,
    );
    expect(errors.evidence).toBeCloseTo(expected, 9);
    expect(errors.words).toBe("11 errors in 60 requests, baseline 1 in 40");
  });
});

describe("slownessAgainstBaseline()", () => {
  const arm = (latency: Latency): Sample => ({ ...aSample({ requests: 10 }), latency });
  const hits = (canary: Latency, baseline: Latency, changes: Partial<JudgePolicy> = {}) => {
    const { words } = slownessAgainstBaseline([{ canary: arm(canary), baseline: arm(baseline) }], 0.8, {
      ...policy,
      ...changes,
    });
    const [found = "", all = ""] = words.match(/\d+/g) ?? [];
    return `${found} of ${all}`;
  };

  test("counts how many of the slowest fifth of both arms' requests were the canary's", () => {
    expect(
      hits(
        [
          [1_000, 7],
          [9_000, 3],
        ],
        [
          [2_000, 9],
          [8_000, 1],
        ],
      ),
    ).toBe("3 of 4");
  });

  test("says so in words", () => {
    const slow: Latency = [
      [1_000, 8],
      [9_000, 2],
    ];
    const usual = arm([[1_000, 10]]);
    const look = { canary: arm(slow), baseline: usual };
    expect(slownessAgainstBaseline([look, look], 0.9, policy).words).toBe(
      "4 of the 4 slowest requests (10 % of both arms') were the canary's",
    );
  });

  test("goes on with the other arm where one has no slow requests left, or no more requests at all", () => {
    const baseline: Latency = [
      [1_000, 8],
      [9_000, 1],
    ];
    const canary: Latency = [
      [1_000, 8],
      [8_000, 2],
    ];
    expect(hits(canary, baseline)).toBe("2 of 3");
    expect(hits(baseline, canary)).toBe("1 of 3");
    expect(hits([[9_000, 1]], canary)).toBe("1 of 1");
    const longer: Latency = [
      [1_000, 8],
      [8_000, 2],
      [8_500, 1],
    ];
    expect(hits([[9_000, 1]], longer)).toBe("1 of 2");
    expect(hits(canary, [[9_000, 1]])).toBe("0 of 1");
  });

  test("counts the only request of a look that has no other", () => {
    expect(hits([[1_000, 1]], [])).toBe("1 of 1");
  });

  test("leaves out a bucket that does not fit as a whole, and takes one that just fits", () => {
    expect(hits([[9_000, 5]], [[1_000, 15]])).toBe("0 of 0");
    expect(hits([[9_000, 4]], [[1_000, 16]])).toBe("4 of 4");
    expect(hits([[1_000, 16]], [[9_000, 4]])).toBe("0 of 4");
  });

  test("cannot tell requests of one bucket apart: both arms' or none", () => {
    const alike: Latency = [
      [1_000, 8],
      [5_000, 2],
    ];
    expect(hits(alike, alike)).toBe("2 of 4");
    expect(hits([[5_000, 10]], [[5_000, 10]])).toBe("0 of 0");
    // Three are wanted, and four are alike.
    const fewer: Latency = [
      [1_000, 6],
      [5_000, 2],
    ];
    expect(hits(fewer, fewer)).toBe("0 of 0");
  });

  test("slows the baseline by what does not matter, the larger of both", () => {
    const canary: Latency = [
      [1_000, 8],
      [9_000, 2],
    ];
    const baseline: Latency = [
      [1_000, 8],
      [8_000, 2],
    ];
    const few: Latency = [
      [1_000, 6],
      [9_000, 4],
    ];
    expect(hits(few, baseline)).toBe("4 of 4");
    expect(hits(few, baseline, { slowdown: { ratio: 1.2, ms: 0 } })).toBe("0 of 2");
    expect(hits(few, baseline, { slowdown: { ratio: 1, ms: 2 } })).toBe("0 of 2");
    expect(hits(canary, baseline, { slowdown: { ratio: 1, ms: 1 } })).toBe("2 of 4");
  });

  test("finds evidence against a canary that has more than its share, and none when what is slow is slow for both", () => {
    const usual: Latency = [
      [1_000, 8],
      [5_000, 2],
    ];
    const slow: Latency = [
      [1_000, 6],
      [9_000, 4],
    ];
    const look = (canary: Latency, baseline: Latency) => ({ canary: arm(canary), baseline: arm(baseline) });
    const judged = (one: ReturnType<typeof look>) => slownessAgainstBaseline(Array(20).fill(one), 0.8, policy).evidence;
    expect(judged(look(slow, usual))).toBeGreaterThan(1_000);
    expect(judged(look(usual, usual))).toBeLessThan(1);
    expect(judged(look(slow, slow))).toBeLessThan(1.1);
  });
});

describe("absoluteMetrics()", () => {
  const deltas = [
    { canary: aSample({ requests: 100, errors: 2, slow: 3, at: 150 }), baseline: aSample() },
    { canary: aSample({ requests: 100, errors: 0 }), baseline: aSample({ requests: 10, errors: 7 }) },
  ];

  test("hold one arm against the SLO", () => {
    const [errors, p99] = absoluteMetrics(deltas, "canary", { policy, slo });
    expect(errors?.evidence).toBeCloseTo(evidence([{ hits: 2, misses: 198, odds: 0.01 / 0.99 }]), 9);
    expect(errors?.words).toBe("2 errors in 200 requests, SLO allows 1 %");
    expect(p99?.evidence).toBeCloseTo(evidence([{ hits: 3, misses: 197, odds: 0.01 / 0.99 }]), 9);
    expect(p99).toMatchObject({ name: "p99", against: "slo", words: "p99 150 ms, SLO allows 100 ms" });
  });

  test("hold the other arm's own numbers against it, one look no more than the policy lets it say", () => {
    const [errors] = absoluteMetrics(deltas, "baseline", { policy, slo });
    const odds = 0.01 / 0.99;
    const looks = [
      { hits: 0, misses: 20, odds },
      { hits: 7, misses: 3, odds },
    ];
    const expected = evidence(looks, policy.evidencePerLook);
    expect(expected).toBeLessThan(evidence(looks) / 100);
    expect(errors?.evidence).toBeCloseTo(expected, 9);
  });
});

describe("answersMetric()", () => {
  const answered = (changed: number, noise?: number) => ({
    answers: { compared: 100, changed, ...(noise === undefined ? {} : { noise }) },
  });
  const meant = (changed: number) => evidence([{ hits: changed, misses: 100 - changed, odds: 0.04 / 0.96 }]);
  const beyond = (changed: number, noise: number) => evidence([{ hits: changed, misses: noise, odds: 1.5 }]);

  test("without a baseline rests on the share that the release is meant to change", () => {
    const metric = answersMetric([answered(20)], policy);
    expect(metric.evidence).toBeCloseTo(meant(20), 6);
    expect(metric.words).toBe("20 of 100 answers differ from stable's, policy allows 4 %");
  });

  test("takes the weaker of the two: more than meant, and more than noise", () => {
    expect(answersMetric([answered(20, 0)], policy).evidence).toBeCloseTo(beyond(20, 0), 6);
    expect(answersMetric([answered(20, 20)], policy).evidence).toBeCloseTo(beyond(20, 20), 6);
    expect(answersMetric([answered(5, 0)], policy).evidence).toBeCloseTo(meant(5), 6);
  });

  test("holds against noise only what was put to the baseline too", () => {
    const metric = answersMetric([answered(0), answered(20, 4)], policy);
    expect(metric.evidence).toBeCloseTo(beyond(20, 4), 6);
    expect(metric.words).toBe("20 of 200 answers differ from stable's, baseline's 4, policy allows 4 %");
  });
});

test("sumOf() and countIn() add up what both arms saw", () => {
  const deltas = [
    { canary: aSample({ errors: 1 }), baseline: aSample({ requests: 5 }) },
    { canary: aSample({ requests: 1 }), baseline: aSample({ errors: 2 }) },
  ];
  expect(sumOf(deltas)).toMatchObject({ canary: { requests: 21, errors: 1 }, baseline: { requests: 25, errors: 2 } });
  expect([countIn(deltas, "canary"), countIn(deltas, "baseline", "errors")]).toEqual([21, 2]);
});
