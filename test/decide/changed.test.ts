import { expect, test } from "bun:test";
import { isChanged } from "../../pipeline/src/decide/changed.ts";

test.each([
  ["the same", { label: "pdf", score: 0.9 }, { label: "pdf", score: 0.9 }, false],
  ["a score that moved beside its label", { label: "pdf", score: 0.9 }, { label: "pdf", score: 0.4 }, false],
  ["keys in another order", { a: "x", b: "y" }, { b: "y", a: "x" }, false],
  ["another label", { label: "pdf" }, { label: "html" }, true],
  ["another truth value", { isText: true }, { isText: false }, true],
  ["labels that changed places", { labels: ["a", "b"] }, { labels: ["b", "a"] }, true],
  ["a label that is gone", { label: "pdf" }, {}, true],
  ["nearly the same vector", [1, 0, 0.5], [1, 0.01, 0.5], false],
  ["a vector that points elsewhere", [1, 0, 0.5], [0.5, 0, 1], true],
  ["a shorter vector", [1, 1], [1], true],
  ["a vector of nothing", [0, 0], [0, 0], true],
] as const)("isChanged() on %s", (_, before, after, changed) => {
  const copy = (value: unknown) => JSON.parse(JSON.stringify(value));
  expect(isChanged(copy(before), copy(after))).toBe(changed);
});
