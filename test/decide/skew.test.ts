import { expect, test } from "bun:test";
import { skewOf } from "../../pipeline/src/decide/skew.ts";
import { aStep, aStrategy } from "../support/policies.ts";
import { aSample } from "../support/sample.ts";

const policy = { ...aStrategy().judge, maxSkew: 1.5 };

function isSkewed(canary: number, baseline: number, weight: number): boolean {
  const window = [{ canary: aSample({ requests: canary }), baseline: aSample({ requests: baseline }) }];
  return skewOf(window, aStep(weight), { policy, threshold: 500 }) !== undefined;
}

test.each([
  ["equal arms", 1_000, 1_000, 20, false],
  ["no traffic at all", 0, 0, 20, false],
  ["a difference within what the policy allows", 1_400, 1_000, 20, false],
  ["a canary with twice the requests", 2_000, 1_000, 20, true],
  ["a baseline with twice the requests", 1_000, 2_000, 20, true],
  ["twice the requests, but too few of them to tell", 20, 10, 20, false],
  ["a silent canary", 0, 50, 20, true],
  ["a silent baseline", 50, 0, 20, true],
  ["as many as the weights say past one half", 3_000, 1_000, 75, false],
  ["equal arms where the weights say three to one", 1_000, 1_000, 75, true],
  ["no baseline at weight 100", 1_000, 0, 100, false],
] as const)("skewOf() on %s", (_, canary, baseline, weight, expected) => {
  expect(isSkewed(canary, baseline, weight)).toBe(expected);
});
