import { expect, test } from "bun:test";
import fc from "fast-check";
import { Durations } from "../../../pipeline/src/stage/load/histogram.ts";

const times = fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 });

test("at() is the quantile of the sorted values, within 0.1 %", () => {
  fc.assert(
    fc.property(times, fc.constantFrom(0.5, 0.9, 0.99), (values, quantile) => {
      const durations = new Durations();
      for (const value of values) durations.record(value);
      const exact = [...values].sort((a, b) => a - b)[Math.ceil(values.length * quantile) - 1] ?? Number.NaN;
      expect(Math.abs(durations.at(quantile) - exact)).toBeLessThanOrEqual(exact * 0.001 + 0.001);
    }),
  );
});

test("toLatency() and from() lose nothing, and merge() adds", () => {
  fc.assert(
    fc.property(times, times, (left, right) => {
      const [a, b, both] = [new Durations(), new Durations(), new Durations()];
      for (const value of left) a.record(value);
      for (const value of right) b.record(value);
      for (const value of [...left, ...right]) both.record(value);
      const merged = Durations.from(a.toLatency());
      merged.merge(Durations.from(b.toLatency()));
      expect(merged.toLatency()).toEqual(both.toLatency());
    }),
  );
});

test("at() of nothing is NaN, and a negative or endless duration is kept in range", () => {
  const durations = new Durations();
  expect(durations.at(0.5)).toBeNaN();
  durations.record(-1);
  durations.record(1e12);
  expect(durations.count).toBe(2);
  expect(durations.at(1)).toBeGreaterThan(3_500_000);
});
