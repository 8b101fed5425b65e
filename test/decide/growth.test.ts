import { expect, test } from "bun:test";
import { growthOf, growthPerHour, judgeGrowth, type MemorySample } from "../../pipeline/src/decide/growth.ts";
import { randomFrom } from "../support/random.ts";

const line = (count: number, mibPerSecond: number, wave = 0) =>
  Array.from({ length: count }, (_, i) => ({ atSeconds: i, mib: 100 + i * mibPerSecond + wave * Math.sin(i) }));

/** A heap that grows until it is collected, at random, and grows for ever by `leak` MiB an hour. */
function sawtooth(seconds: number, leak: number, seed: number): MemorySample[] {
  const random = randomFrom(seed);
  let garbage = 0;
  return Array.from({ length: seconds }, (_, i) => {
    garbage = random() < 0.03 ? 0 : garbage + 0.3 * random();
    return { atSeconds: i, mib: 140 + garbage + (leak * i) / 3600 };
  });
}

test("growthOf() is the slope of the line", () => {
  expect(growthOf(line(160, 0.01)).perHour).toBeCloseTo(36, 6);
  expect(growthPerHour(line(100, 0.01))).toBeCloseTo(36, 6);
  expect([growthOf([]).perHour, growthPerHour([])]).toEqual([Number.NaN, Number.NaN]);
});

test.each([
  ["flat memory", line(800, 0, 5), "pass"],
  ["memory at its limit", line(800, 0.01), "pass"],
  ["a leak", line(800, 0.02), "fail"],
  ["too few samples", line(599, 0.02), "inconclusive"],
  ["no sample", [], "inconclusive"],
  ["a process that cannot be read", line(800, Number.NaN), "fail"],
  [
    "memory that grows while the service warms up and then stops",
    line(800, 0).map((one, i) => ({ ...one, mib: Math.min(150, 100 + i) })),
    "pass",
  ],
] as const)("judgeGrowth() on %s", (_, samples, kind) => {
  expect(judgeGrowth(samples, 36.001).kind).toBe(kind);
});

test("judgeGrowth() calls no collected heap a leak, and sees a leak in half an hour", () => {
  const kinds = (seconds: number, leak: number) =>
    Array.from({ length: 200 }, (_, seed) => judgeGrowth(sawtooth(seconds, leak, seed + 1), 32).kind);
  for (const seconds of [600, 1200, 1800]) {
    expect(kinds(seconds, 0).filter((kind) => kind === "fail").length).toBeLessThanOrEqual(10);
  }
  expect(kinds(1800, 0)).not.toContain("fail");
  expect(kinds(1800, 0).filter((kind) => kind === "pass").length).toBeGreaterThan(180);
  expect(kinds(1800, 100).filter((kind) => kind === "fail").length).toBeGreaterThan(180);
});
