import { describe, expect, test } from "bun:test";
import type { Stream } from "../../pipeline/src/simulate/latencies.ts";
import { randomFrom } from "../../pipeline/src/simulate/random.ts";
import { formatTrace, parseTrace, replayed } from "../../pipeline/src/simulate/trace.ts";

/** Two requests a second for a minute; from the 30th second on they take ten times as long. */
const recorded = Array.from({ length: 120 }, (_, i) => ({
  atMs: 5_000 + i * 500,
  latencyMs: i < 60 ? 4 + (i % 2) : 40,
}));

describe("parseTrace()", () => {
  test("reads what formatTrace() wrote: seconds in their order, and the rate", () => {
    const trace = parseTrace(formatTrace(recorded), "trace.csv");
    expect(trace.ratePerSecond).toBe(2);
    expect([trace.seconds.size, trace.seconds.get(5), trace.seconds.get(64)]).toEqual([60, [4, 5], [40, 40]]);
  });

  test("leaves out seconds without a request, and counts them in the rate", () => {
    const trace = parseTrace(formatTrace(recorded.filter((_, i) => i < 2 || i >= 118)), "trace.csv");
    expect([trace.seconds.size, trace.ratePerSecond]).toEqual([2, 4 / 60]);
  });

  test.each([
    ["another head", "at,latency\n1,2", 'trace.csv:1: found "at,latency"'],
    ["nothing", "", 'trace.csv:1: found ""'],
    ["a line that is none", "at_ms,latency_ms\n1,2\n1;2", 'trace.csv:3: found "1;2"'],
    ["a latency of zero", "at_ms,latency_ms\n1,0", 'trace.csv:2: found "1,0"'],
    ["a negative time", "at_ms,latency_ms\n-1,5", 'trace.csv:2: found "-1,5"'],
    ["too short a time", formatTrace(recorded.slice(0, 20)), "it has 10 s, expected at least 30 s"],
  ])("refuses %s, and says where", (_, text, message) => {
    expect(() => parseTrace(text, "trace.csv")).toThrow(message);
  });
});

describe("replayed()", () => {
  const latencies = replayed([parseTrace(formatTrace(recorded), "trace.csv")]);

  test("has the trace's percentiles", () => {
    expect(latencies.p99Ms).toBeCloseTo(40, 9);
    expect([4, 5, 40]).toContain(Math.round(latencies.p50Ms));
  });

  test("keeps slow seconds together", () => {
    const stream = latencies.weather(randomFrom(1))();
    const isSlow = Array.from({ length: 2_000 }, () => {
      stream.nextSecond();
      return Math.exp(stream.next()) > 20;
    });
    const changes = isSlow.filter((slow, i) => i > 0 && slow !== isSlow[i - 1]).length;
    expect(changes).toBeGreaterThan(20);
    expect(changes).toBeLessThan(200);
  });

  const slowness = (stream: Stream) =>
    Array.from({ length: 500 }, () => {
      stream.nextSecond();
      return Math.exp(stream.next());
    });

  test("lets both arms meet the same seconds", () => {
    const arm = latencies.weather(randomFrom(2));
    const [canary, baseline] = [slowness(arm()), slowness(arm())];
    expect(canary.map((ms) => ms > 20)).toEqual(baseline.map((ms) => ms > 20));
    expect(canary).not.toEqual(baseline);
  });

  test("gives each arm its own of two traces, at the same seconds, either the one or the other", () => {
    const twice = recorded.map(({ atMs, latencyMs }) => ({ atMs: atMs + 10_000, latencyMs: latencyMs * 100 }));
    const both = replayed([recorded, twice].map((one) => parseTrace(formatTrace(one), "trace.csv")));
    const first = Array.from({ length: 20 }, (_, seed) => {
      const arm = both.weather(randomFrom(seed));
      const [canary, baseline] = [slowness(arm()), slowness(arm())];
      expect(Math.max(...canary) < 100).toBe(Math.min(...baseline) > 100);
      return Math.max(...canary) < 100;
    });
    expect(new Set(first).size).toBe(2);
  });

  test("refuses two traces that were not recorded at the same time", () => {
    const later = recorded.map(({ atMs, latencyMs }) => ({ atMs: atMs + 50_000, latencyMs }));
    const traces = [recorded, later].map((one) => parseTrace(formatTrace(one), "trace.csv"));
    expect(() => replayed(traces)).toThrow("they have 10 s in common, expected at least 30 s");
  });
});
