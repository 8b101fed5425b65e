import { expect, test } from "bun:test";
import { weightsOf } from "../../pipeline/src/decide/weights.ts";

const arms = { stable: "s", canary: "c", baseline: "b" };

test.each([
  [1, { s: 98, b: 1, c: 1 }],
  [20, { s: 60, b: 20, c: 20 }],
  [50, { b: 50, c: 50 }],
  [75, { b: 25, c: 75 }],
  [100, { c: 100 }],
])(
  "weightsOf() %d gives canary and baseline alike as long as it fits, and leaves out who gets nothing",
  (weight, expected) => {
    expect(weightsOf(arms, weight)).toEqual(expected);
  },
);
