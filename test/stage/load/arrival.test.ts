import { expect, test } from "bun:test";
import { arrivals, constant } from "../../../pipeline/src/stage/load/arrival.ts";

test("arrivals() spaces a constant rate evenly and leaves the warm-up uncounted", () => {
  const all = [...arrivals([constant(4, 0.5, false), constant(4, 1)])];
  expect(all.map((one) => one.atMs)).toEqual([0, 250, 500, 750, 1000, 1250]);
  expect(all.map((one) => one.counted)).toEqual([false, false, true, true, true, true]);
});

test.each([
  ["up from zero", 0, 100],
  ["up", 20, 80],
  ["down", 80, 20],
])("arrivals() of a ramp %s has the ramp's area and never goes back", (_, fromPerSecond, toPerSecond) => {
  const times = [...arrivals([{ seconds: 10, fromPerSecond, toPerSecond, counted: true }])].map((one) => one.atMs);
  expect(times).toHaveLength(((fromPerSecond + toPerSecond) / 2) * 10);
  expect(times.every((at, i) => at >= (times[i - 1] ?? 0) && at < 10_000)).toBe(true);
  const firstHalf = times.filter((at) => at < 5000).length;
  expect(firstHalf).toBeCloseTo((fromPerSecond + (fromPerSecond + toPerSecond) / 2) * 2.5, -1);
});

test("arrivals() of nothing is nothing", () => {
  expect([...arrivals([constant(0, 10)])]).toEqual([]);
});
