import { expect, test } from "bun:test";
import { growthPerHour, judgeGrowth } from "../../pipeline/src/decide/growth.ts";

const line = (count: number, mibPerSecond: number, wave = 0) =>
  Array.from({ length: count }, (_, i) => ({ atSeconds: i, mib: 100 + i * mibPerSecond + wave * Math.sin(i) }));

test("growthPerHour() is the slope of the line", () => {
  expect(growthPerHour(line(100, 0.01))).toBeCloseTo(36, 6);
  expect(growthPerHour([])).toBeNaN();
});

test.each([
  ["flat memory", line(200, 0, 5), "pass"],
  ["memory at its limit", line(200, 0.01), "pass"],
  ["a leak", line(200, 0.02), "fail"],
  ["too few samples", line(38, 0.02), "inconclusive"],
  ["no sample", [], "inconclusive"],
  ["a process that cannot be read", line(200, Number.NaN), "fail"],
  [
    "memory that grows while the service warms up and then stops",
    line(400, 0).map((one, i) => ({ ...one, mib: Math.min(150, 100 + i) })),
    "pass",
  ],
] as const)("judgeGrowth() on %s", (_, samples, kind) => {
  expect(judgeGrowth(samples, 36.001).kind).toBe(kind);
});
