import { describe, expect, test } from "bun:test";
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
    expect([trace.seconds.length, trace.seconds[0], trace.seconds[59]]).toEqual([60, [4, 5], [40, 40]]);
  });

  test("leaves out seconds without a request, and counts them in the rate", () => {
    const trace = parseTrace(formatTrace(recorded.filter((_, i) => i < 2 || i >= 118)), "trace.csv");
    expect([trace.seconds.length, trace.ratePerSecond]).toEqual([2, 4 / 60]);
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
  const latencies = replayed(parseTrace(formatTrace(recorded), "trace.csv"));

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

  test("gives each arm a place of its own", () => {
    const stream = latencies.weather(randomFrom(2));
    const seconds = () => {
      const arm = stream();
      return Array.from({ length: 50 }, () => {
        arm.nextSecond();
        return arm.next();
      });
    };
    expect(seconds()).not.toEqual(seconds());
  });
});
