import { describe, expect, test } from "bun:test";
import { budgetOf, judgeBudget, readBudget, sayBudget } from "../../pipeline/src/decide/budget.ts";
import { BudgetReading } from "../../pipeline/src/spec/budget.ts";
import type { Slo } from "../../pipeline/src/spec/policy.ts";

const slo: Slo = { maxErrorRate: 0.001, latency: [{ quantile: 0.5, maxMs: 1 }] };
const spent = { requests: 10_000, errors: 10 };
const by = "ops";

test.each([
  [{ requests: 0, errors: 0 }, 1],
  [{ requests: 10_000, errors: 0 }, 1],
  [{ requests: 10_000, errors: 5 }, 0.5],
  [{ requests: 10_000, errors: 10 }, 0],
  [{ requests: 10_000, errors: 20 }, -1],
])("budgetOf(%p) leaves %d", (served, left) => {
  expect(budgetOf(served, slo).left).toBeCloseTo(left, 9);
});

describe("judgeBudget()", () => {
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

describe("readBudget()", () => {
  const override = { by, reason: "it fixes the errors" };
  const from = { source: "the site's history", days: 30 };

  test("says what was served, what is left, and the verdict", () => {
    const reading = BudgetReading.parse(readBudget({ requests: 10_000, errors: 4 }, slo, from));
    expect(reading).toMatchObject({ source: "the site's history", days: 30, left: 0.6, verdict: { kind: "pass" } });
    expect(sayBudget(reading)).toBe(
      "60.0 % of the error budget is left: 4 of 10000 requests failed in 30 days by the site's history, 10 may",
    );
  });

  test("keeps an override where it was needed, and only there", () => {
    expect(readBudget(spent, slo, { ...from, override })).toMatchObject({ override, verdict: { kind: "pass" } });
    expect(readBudget({ requests: 10_000, errors: 0 }, slo, { ...from, override })).not.toHaveProperty("override");
    expect(readBudget(spent, slo, from).verdict).toEqual({
      kind: "fail",
      breaches: ["error budget is spent: 10 of 10000 requests failed, 10 may"],
    });
  });
});
