import { describe, expect, test } from "bun:test";
import { budgetOf, burnRate, judgeBudget, servedBy } from "../../pipeline/src/decide/budget.ts";
import type { Slo } from "../../pipeline/src/spec/policy.ts";

const slo: Slo = { maxErrorRate: 0.001, latency: [{ quantile: 0.5, maxMs: 1 }] };

test.each([
  [{ requests: 0, errors: 0 }, 1],
  [{ requests: 10_000, errors: 0 }, 1],
  [{ requests: 10_000, errors: 5 }, 0.5],
  [{ requests: 10_000, errors: 10 }, 0],
  [{ requests: 10_000, errors: 20 }, -1],
])("budgetOf(%p) leaves %d", (served, left) => {
  expect(budgetOf(served, slo).left).toBeCloseTo(left, 9);
});

test("burnRate() is 1 when the budget lasts exactly its days, and NaN of nothing", () => {
  expect(burnRate({ requests: 10_000, errors: 10 }, slo)).toBeCloseTo(1, 9);
  expect(burnRate({ requests: 1000, errors: 20 }, slo)).toBeCloseTo(20, 9);
  expect(burnRate({ requests: 0, errors: 0 }, slo)).toBeNaN();
});

describe("judgeBudget()", () => {
  const spent = { requests: 10_000, errors: 10 };
  const by = "ops";

  test.each([
    ["an untouched budget", { requests: 10_000, errors: 0 }, undefined, "pass"],
    ["nothing served yet", { requests: 0, errors: 0 }, undefined, "pass"],
    ["a spent budget", spent, undefined, "fail"],
    ["a spent budget with a reason", spent, { by, reason: "it fixes the errors" }, "pass"],
    ["a spent budget with an empty reason", spent, { by, reason: " " }, "fail"],
    ["counts that are NaN", { requests: Number.NaN, errors: Number.NaN }, undefined, "fail"],
  ] as const)("on %s", (_, served, override, kind) => {
    expect(judgeBudget(served, slo, override).kind).toBe(kind);
  });
});

test("servedBy() adds all revisions, and leaves clients' own mistakes out", () => {
  const sample = { requests: 10, errors: 1, clientErrors: 5, latency: [] };
  expect(servedBy({ a: sample, b: sample })).toEqual({ requests: 20, errors: 2 });
});
