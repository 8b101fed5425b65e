import { expect, test } from "bun:test";
import { Arms } from "../../../pipeline/src/target/local/arms.ts";
import { noteEnding } from "../../../pipeline/src/target/local/outlier.ts";
import { newUpstream, takesRequests, type Upstream } from "../../../pipeline/src/target/local/upstream.ts";

function twoArms(weights: { one: number; two: number }): { arms: Arms; one: Upstream } {
  const arms = new Arms();
  const one = Object.assign(newUpstream("one"), { base: "http://127.0.0.1:1" });
  arms.add(one);
  arms.add(Object.assign(newUpstream("two"), { base: "http://127.0.0.1:2" }));
  arms.weigh(weights);
  return { arms, one };
}

test("noteEnding() ejects a revision after five errors in a row", () => {
  const { arms, one } = twoArms({ one: 20, two: 80 });
  for (let errors = 0; errors < 4; errors += 1) noteEnding(one, "error", arms);
  expect(takesRequests(one)).toBe(true);
  noteEnding(one, "error", arms);
  expect(takesRequests(one)).toBe(false);
});

test("noteEnding() forgives errors that good answers stand between", () => {
  const { arms, one } = twoArms({ one: 20, two: 80 });
  for (let errors = 0; errors < 20; errors += 1) {
    noteEnding(one, "error", arms);
    noteEnding(one, "answered", arms);
  }
  expect(takesRequests(one)).toBe(true);
});

test("noteEnding() ejects for twice as long when the second chance fails, at its first error", () => {
  const { arms, one } = twoArms({ one: 20, two: 80 });
  for (let errors = 0; errors < 5; errors += 1) noteEnding(one, "error", arms);
  const first = one.ejectedUntil - performance.now();
  one.ejectedUntil = 0;
  noteEnding(one, "error", arms);
  expect(one.ejectedUntil - performance.now()).toBeGreaterThan(first * 1.5);
});

test("noteEnding() never ejects the revision that carries most of the traffic", () => {
  const { arms, one } = twoArms({ one: 80, two: 20 });
  for (let errors = 0; errors < 50; errors += 1) noteEnding(one, "error", arms);
  expect(takesRequests(one)).toBe(true);
});

test("noteEnding() holds nothing against a revision whose clients went away", () => {
  const { arms, one } = twoArms({ one: 20, two: 80 });
  for (let times = 0; times < 50; times += 1) noteEnding(one, "cancelled", arms);
  expect(takesRequests(one)).toBe(true);
});
