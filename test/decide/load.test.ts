import { describe, expect, test } from "bun:test";
import { judgeLoad, loadFigure, samplesNeeded } from "../../pipeline/src/decide/load.ts";
import { quantileName } from "../../pipeline/src/decide/quantile.ts";
import { worst } from "../../pipeline/src/decide/worst.ts";
import type { LoadFacts } from "../../pipeline/src/spec/load.ts";
import type { Slo } from "../../pipeline/src/spec/policy.ts";
import { aProfile, loadFacts, quantiles, stableFacts } from "../support/load.ts";

const slo: Slo = {
  maxErrorRate: 0.01,
  latency: [
    { quantile: 0.5, maxMs: 20 },
    { quantile: 0.99, maxMs: 100 },
  ],
};
const profile = aProfile({ ratePerSecond: 100, warmupSeconds: 1, seconds: 10, maxInFlight: 64, maxLagMs: 20 });
const facts = loadFacts;
const p = quantiles;

describe("judgeLoad()", () => {
  test.each([
    ["a run within every objective", {}, "pass", ""],
    ["a p99 exactly at its limit", { response: p(10, 100) }, "pass", ""],
    ["a p99 20 % over its limit", { response: p(10, 120) }, "fail", "p99 is 120 ms, objective is 100 ms"],
    ["a median over its limit", { response: p(21, 80) }, "fail", "p50 is 21 ms"],
    ["a NaN quantile", { response: p(10, Number.NaN) }, "fail", "p99 is NaN ms"],
    ["a quantile that was not measured", { response: [] }, "fail", "p50 is NaN ms"],
    ["an error rate exactly at its limit", { errors: 10, errorKinds: { "status 500": 10 } }, "pass", ""],
    [
      "an error rate over its limit",
      { errors: 20, errorKinds: { timeout: 20 } },
      "fail",
      "20 of 1000 requests failed (20 timeout)",
    ],
    ["one error too many, which may be chance", { errors: 11 }, "inconclusive", "11 of 1000 may be chance"],
    ["one dropped arrival", { dropped: 1, requests: 999 }, "fail", "1 of 1000 arrivals dropped"],
    ["requests that vanished", { requests: 999 }, "error", "999 requests ended, 1000 were planned"],
    ["a driver that lagged", { lagP99Ms: 21 }, "error", "the driver was the bottleneck"],
    ["a driver that lagged while the service failed", { lagP99Ms: 21, errors: 900 }, "error", "bottleneck"],
    ["a lag that is NaN", { lagP99Ms: Number.NaN }, "error", "bottleneck"],
    ["a run of nothing", { planned: 0, requests: 0, response: [] }, "error", "no request was planned"],
    ["298 samples for a p99", { planned: 298, requests: 298 }, "inconclusive", "298 samples, it takes 299"],
    ["nothing answered", { errors: 1000, errorKinds: { connection: 1000 }, response: [] }, "fail", "1000 connection"],
  ] as const)("on %s", (_, change, kind, words) => {
    const verdict = worst(judgeLoad(facts(change as Partial<LoadFacts>), slo, profile));
    expect(verdict.kind).toBe(kind);
    expect(JSON.stringify(verdict)).toContain(words);
  });

  test("names every objective it looked at", () => {
    expect(judgeLoad(facts(), slo, profile).map((check) => check.name)).toEqual([
      "driver kept its schedule",
      "every arrival was sent",
      "error rate",
      "p50",
      "p99",
    ]);
  });
});

describe("judgeLoad() on a p99 over its limit", () => {
  const slow = { response: p(10, 120) };

  test("is inconclusive when so many slow requests may be chance", () => {
    const distribution: LoadFacts["distribution"] = [
      [10_000, 988],
      [120_000, 12],
    ];
    expect(worst(judgeLoad(facts({ ...slow, distribution }), slo, profile))).toEqual({
      kind: "inconclusive",
      reason: "p99 is 120 ms, objective is 100 ms; 12 of 1000 may be chance; next: a longer profile",
    });
  });

  test("fails when that many are no chance", () => {
    const distribution: LoadFacts["distribution"] = [
      [10_000, 980],
      [120_000, 20],
    ];
    expect(worst(judgeLoad(facts({ ...slow, distribution }), slo, profile)).kind).toBe("fail");
  });

  test("is inconclusive when stable's is over it too", () => {
    const stable = stableFacts({ response: p(10, 110) });
    const verdict = worst(judgeLoad(facts({ ...slow, stable }), slo, profile));
    expect(verdict.kind).toBe("inconclusive");
    expect(JSON.stringify(verdict)).toContain("but stable's own p99 is 110 ms of 100 ms");
  });

  test("fails when stable's is within it", () => {
    const stable = stableFacts({ response: p(10, 90) });
    expect(worst(judgeLoad(facts({ ...slow, stable }), slo, profile)).kind).toBe("fail");
  });
});

describe("judgeLoad() on errors while stable fails too", () => {
  const stable = stableFacts({ errors: 300 });

  test.each([
    ["overload on a busy machine", { errors: 300, errorKinds: { "status 503": 200, timeout: 100 } }, "inconclusive"],
    ["dropped arrivals on a busy machine", { dropped: 200, requests: 800 }, "inconclusive"],
    ["errors of its own all the same", { errors: 300, errorKinds: { timeout: 280, "status 500": 20 } }, "fail"],
  ] as const)("%s", (_, change, kind) => {
    const verdict = worst(judgeLoad(facts({ ...change, stable } as Partial<LoadFacts>), slo, profile));
    expect(verdict.kind).toBe(kind);
    if (kind === "inconclusive")
      expect(JSON.stringify(verdict)).toContain("300 of 1000 of stable's own requests failed");
  });

  test("fails an overloaded candidate beside a stable that is not", () => {
    const change = { errors: 300, errorKinds: { "status 503": 300 }, stable: stableFacts() };
    expect(worst(judgeLoad(facts(change), slo, profile)).kind).toBe("fail");
  });
});

describe("judgeLoad() beside stable", () => {
  const stable = stableFacts({ response: p(10, 80) });
  const equal = { ratio: 1, low: 0.97, high: 1.03 };
  const beside = (median: typeof equal, tail = equal, stableSpread = 1.05) =>
    worst(
      judgeLoad(
        facts({ stable, comparison: { pairs: 500, median, tail, tailQuantile: 0.9, stableSpread } }),
        { ...slo, maxSlowdown: 1.1 },
        profile,
      ),
    );

  test.each([
    ["an equal candidate", equal, equal, "pass"],
    ["one 15 % slower, within every limit", { ratio: 1.15, low: 1.12, high: 1.18 }, equal, "fail"],
    ["one that may be slower", { ratio: 1.08, low: 1.02, high: 1.14 }, equal, "inconclusive"],
    ["one with a slower tail", equal, { ratio: 3, low: 1.5, high: 6 }, "fail"],
    ["one whose tail is unclear", equal, { ratio: 1.2, low: 0.8, high: 2 }, "pass"],
    ["one that was not measured", { ratio: Number.NaN, low: Number.NaN, high: Number.NaN }, equal, "fail"],
  ] as const)("on %s", (_, median, tail, kind) => {
    expect(beside(median, tail).kind).toBe(kind);
  });

  test("is inconclusive when stable was unsteady or over its own objective: the machine was busy", () => {
    const slower = { ratio: 1.9, low: 1.5, high: 2.3 };
    expect(beside(slower, equal, 1.4)).toMatchObject({
      kind: "inconclusive",
      reason: expect.stringContaining("but stable's own speed varied 1.40x"),
    });
    expect(beside(slower, slower, Number.NaN).kind).toBe("inconclusive");
    const busy = {
      stable: { ...stable, response: p(10, 400) },
      comparison: { pairs: 500, median: slower, tail: slower, tailQuantile: 0.9, stableSpread: 1 },
    };
    expect(worst(judgeLoad(facts(busy), { ...slo, maxSlowdown: 1.1 }, profile)).kind).toBe("inconclusive");
  });

  test("is inconclusive when too few were answered by both", () => {
    const verdict = worst(judgeLoad(facts({ stable }), { ...slo, maxSlowdown: 1.1 }, profile));
    expect(verdict).toMatchObject({ kind: "inconclusive", reason: expect.stringContaining("fewer than 100") });
  });
});

test("samplesNeeded() is the rule for a 95 % upper bound", () => {
  expect([0.5, 0.9, 0.99, 0.999].map(samplesNeeded)).toEqual([5, 29, 299, 2995]);
});

test("quantileName() has no floating-point dust", () => {
  expect([0.5, 0.99, 0.999, 0.07].map(quantileName)).toEqual(["p50", "p99", "p99.9", "p7"]);
});

test("loadFigure() shows the outermost quantile beside its limit", () => {
  expect(loadFigure(facts(), slo)).toBe("p99 80 ms of 100 ms at 100/s, 0 of 1000 failed");
});

describe("worst()", () => {
  const check = (verdict: Parameters<typeof worst>[0][number]["verdict"]) => ({ name: "x", verdict });
  const fail = check({ kind: "fail", breaches: ["a"] });
  const inconclusive = check({ kind: "inconclusive", reason: "b" });
  const error = check({ kind: "error", reason: "c" });
  const pass = check({ kind: "pass" });

  test.each([
    ["nothing", [], "error"],
    ["passes", [pass, pass], "pass"],
    ["one inconclusive", [pass, inconclusive], "inconclusive"],
    ["a fail beside an inconclusive", [inconclusive, fail], "fail"],
    ["an error beside a fail", [fail, error], "error"],
  ] as const)("of %s", (_, checks, kind) => {
    expect(worst([...checks]).kind).toBe(kind);
  });

  test("keeps every breach", () => {
    expect(worst([fail, check({ kind: "fail", breaches: ["d", "e"] })])).toEqual({
      kind: "fail",
      breaches: ["a", "d", "e"],
    });
  });
});
