import { expect, test } from "bun:test";
import { renderLoad } from "../../pipeline/src/report/load.ts";
import type { LoadFacts } from "../../pipeline/src/spec/load.ts";
import type { Report } from "../../pipeline/src/spec/report.ts";

const p = (p50: number, p99: number) => [
  { quantile: 0.5, ms: p50 },
  { quantile: 0.99, ms: p99 },
];

const facts: LoadFacts = {
  driver: "sluice",
  seconds: 10,
  planned: 400,
  dropped: 1,
  requests: 399,
  errors: 3,
  errorKinds: { "status 503": 2, timeout: 1 },
  ratePerSecond: 39.9,
  lagP99Ms: 1.5,
  response: p(10.25, 81),
  service: [],
  distribution: [],
  stable: { requests: 400, errors: 0, response: p(9, 70), service: [] },
  comparison: {
    pairs: 390,
    median: { ratio: 1.1, low: 1.05, high: 1.15 },
    tail: { ratio: 1.2, low: 0.9, high: 1.5 },
    tailQuantile: 0.9,
    stableSpread: 1.1,
  },
  memory: [{ atSeconds: 9, mib: 81.24 }],
};

function aReport(of: Report["facts"]): Report {
  const head = { schema: "sluice/report/v1", stage: "load", subject: "digits@1.0.0" } as const;
  const startedAt = "2026-01-01T00:00:00.000Z";
  return { ...head, startedAt, durationMs: 1, verdict: { kind: "pass" }, figure: "", checks: [], facts: of };
}

test("renderLoad() shows both arms, what failed, the driver's lag and the ratio", () => {
  const text = renderLoad(aReport(facts));
  expect(text).toMatch(/response time +p50 +p99/);
  expect(text).toMatch(/candidate .*10.* 81/);
  expect(text).toMatch(/stable .*9.* 70/);
  expect(text.replaceAll(/\s+/g, " ")).toContain(
    "399 requests in 10 s (39.9/s), 3 failed (2 status 503, 1 timeout), 1 dropped",
  );
  expect(text).toContain("p50 1.10x stable's (1.05x to 1.15x), p90 1.20x stable's (0.90x to 1.50x)");
  expect(text).toContain("memory 81.2 MiB at the end");
});

test("renderLoad() shows a search's curve", () => {
  const point = (ratePerSecond: number, errors: number) => ({
    ratePerSecond,
    requests: 100,
    errors,
    response: p(5, 9),
  });
  const text = renderLoad(aReport({ best: 20, curve: [point(20, 0), point(30, 7)] }));
  expect(text).toMatch(/rate +p50 +p99 +failed/);
  expect(text).toMatch(/30\/s .*7 of 100/);
});

test("renderLoad() of a run that was not measured is empty", () => {
  expect(renderLoad(aReport({}))).toBe("");
});
