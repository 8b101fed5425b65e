import { describe, expect, test } from "bun:test";
import { countAbove, countOf, plus, quantileMs, since, sum } from "../../pipeline/src/decide/sample.ts";
import { emptySample, type Sample } from "../../pipeline/src/spec/sample.ts";

const earlier: Sample = {
  requests: 10,
  errors: 1,
  clientErrors: 2,
  latency: [
    [1_000, 6],
    [3_000, 4],
  ],
};
const later: Sample = {
  requests: 16,
  errors: 3,
  clientErrors: 2,
  latency: [
    [1_000, 9],
    [2_000, 2],
    [3_000, 5],
  ],
};

describe("since()", () => {
  test("gives what is new, and drops buckets without anything new", () => {
    expect(since(earlier, later)).toEqual({
      requests: 6,
      errors: 2,
      clientErrors: 0,
      latency: [
        [1_000, 3],
        [2_000, 2],
        [3_000, 1],
      ],
    });
    expect(since(later, later)).toEqual(emptySample);
  });

  test.each([
    ["requests", { requests: 9 }],
    ["errors", { errors: 0 }],
  ])("takes all of the later one for new when %s went back: the counter was reset", (_, changes) => {
    const restarted = { ...earlier, ...changes };
    expect(since(earlier, restarted)).toEqual(restarted);
  });

  test("does not take clients' errors for fewer than none", () => {
    expect(since(earlier, { ...later, clientErrors: 1 }).clientErrors).toBe(0);
  });
});

describe("sum()", () => {
  test("adds counts bucket by bucket, in order of latency", () => {
    const added = {
      requests: 26,
      errors: 4,
      clientErrors: 4,
      latency: [
        [1_000, 15],
        [2_000, 2],
        [3_000, 9],
      ],
    };
    expect(sum([later, earlier])).toMatchObject(added);
    expect(plus(earlier, later)).toMatchObject(added);
    expect(sum([])).toEqual(emptySample);
  });

  test("orders buckets by number, not by text", () => {
    const of = (edge: number): Sample => ({ ...emptySample, latency: [[edge, 1]] });
    expect(sum([of(10_000), of(9_000)]).latency.map(([edge]) => edge)).toEqual([9_000, 10_000]);
  });
});

describe("quantileMs()", () => {
  test.each([
    [0, 1],
    [0.5, 1],
    [0.6, 1],
    [0.61, 3],
    [0.99, 3],
    [1, 3],
  ])("of 6 in 1 ms and 4 in 3 ms at %d is %d ms", (quantile, ms) => {
    expect(quantileMs(earlier.latency, quantile)).toBe(ms);
  });

  test("of nothing is not a number", () => {
    expect(quantileMs([], 0.5)).toBeNaN();
  });
});

test.each([
  [0, 16],
  [0.999, 16],
  [1, 7],
  [2, 5],
  [2.999, 5],
  [3, 0],
])("countAbove() %d ms counts only what is slower", (limitMs, expected) => {
  expect(countAbove(later.latency, limitMs)).toBe(expected);
});

test("countOf() counts every latency", () => {
  expect([countOf(later.latency), countOf([])]).toEqual([16, 0]);
});
