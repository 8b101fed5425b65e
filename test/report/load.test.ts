import { describe, expect, test } from "bun:test";
import { binsOf } from "../../pipeline/src/report/bins.ts";
import { renderLoad } from "../../pipeline/src/report/load.ts";
import { renderLoadPage } from "../../pipeline/src/report/load-section.ts";
import type { Latency } from "../../pipeline/src/spec/sample.ts";
import { loadFacts, quantiles, stableFacts } from "../support/load.ts";
import { aReport } from "./rollouts.ts";

const facts = loadFacts({
  planned: 400,
  dropped: 1,
  requests: 399,
  errors: 3,
  errorKinds: { "status 503": 2, timeout: 1 },
  ratePerSecond: 39.9,
  lagP99Ms: 1.5,
  response: quantiles(10.25, 81),
  distribution: [
    [2_000, 100],
    [10_000, 290],
    [81_000, 6],
  ],
  stable: stableFacts({
    requests: 400,
    response: quantiles(9, 70),
    distribution: [
      [1_000, 200],
      [70_000, 200],
    ],
  }),
  comparison: {
    pairs: 390,
    median: { ratio: 1.1, low: 1.05, high: 1.15 },
    tail: { ratio: 1.2, low: 0.9, high: 1.5 },
    tailQuantile: 0.9,
    stableSpread: 1.1,
  },
  memory: Array.from({ length: 40 }, (_, i) => ({ atSeconds: i, mib: 80.24 + i })),
});

test("renderLoad() shows both arms, what failed, the driver's lag and the ratio", () => {
  const text = renderLoad(aReport({ facts }));
  expect(text).toMatch(/response time +p50 +p99/);
  expect(text).toMatch(/candidate .*10.* 81/);
  expect(text).toMatch(/stable .*9.* 70/);
  expect(text.replaceAll(/\s+/g, " ")).toContain(
    "399 requests in 10 s (39.9/s), 3 failed (2 status 503, 1 timeout), 1 dropped",
  );
  expect(text).toContain("p50 1.10x stable's (1.05x to 1.15x), p90 1.20x stable's (0.90x to 1.50x)");
  expect(text).toMatch(/memory 119.2 MiB at the end, \d+(\.\d)? MiB\/h over the later half \(95 % interval/);
});

test("renderLoad() draws how both arms are distributed, and ends with the command", () => {
  const lines = renderLoad(aReport({ facts, repeat: "sluice load digits@1.0.0" })).split("\n");
  const head = lines.findIndex((line) => /distribution +candidate +stable/.test(line));
  const rows = lines.slice(head + 1, head + 13);
  expect(rows[0]).toMatch(/to 1\.4 ms +█{14} 50\.0 %$/);
  expect(rows[11]).toMatch(/to 81 ms +▏ 1\.5 % +█{14} 50\.0 %$/);
  expect(lines.slice(-2)).toEqual(["Measure it again:", "  sluice load digits@1.0.0"]);
});

const point = (ratePerSecond: number, errors: number) => ({
  ratePerSecond,
  requests: 100,
  errors,
  response: quantiles(5, 9),
});
const search = { best: 20, curve: [point(20, 0), point(30, 7)] };

test("renderLoad() shows a search's curve", () => {
  const text = renderLoad(aReport({ facts: search, repeat: "sluice load digits@1.0.0 --profile capacity" }));
  expect(text).toMatch(/rate +p50 +p99 +failed/);
  expect(text).toMatch(/30\/s .*7 of 100/);
  expect(text).toEndWith("sluice load digits@1.0.0 --profile capacity");
});

test("renderLoad() of a run that was not measured is empty", () => {
  expect(renderLoad(aReport())).toBe("");
});

test("binsOf() loses no request, whatever the spread", () => {
  for (const arms of [
    [facts.distribution],
    [facts.distribution, stableFacts().distribution],
    [[[5, 3]]],
  ] as Latency[][]) {
    const bins = binsOf(arms, 12);
    for (const [arm, latency] of arms.entries()) {
      const sum = bins.reduce((total, { shares }) => total + (shares[arm] ?? 0), 0);
      expect(sum).toBeCloseTo(latency.length === 0 ? 0 : 1, 9);
    }
  }
  expect(binsOf([[]], 12)).toEqual([]);
});

describe("renderLoadPage()", () => {
  test("shows both arms, their distribution, the remarks and the command", async () => {
    const page = await renderLoadPage(aReport({ facts, repeat: "sluice load 'a b'" }));
    for (const title of ["Response times", "Memory"]) expect(page.split(`<title>${title}`)).toHaveLength(3);
    expect(page).toMatch(/candidate<\/th><td class="number">399<\/td><td class="number">3</);
    expect(page).toMatch(/stable<\/th><td class="number">400<\/td><td class="number">0</);
    expect(page).toContain("the driver&#39;s own lag was 1.5 ms at the p99");
    expect(page).toContain("sluice load &#39;a b&#39;");
    expect(page).not.toMatch(/NaN|undefined|Infinity|<script/);
  });

  test("shows a search's curve and its best rate", async () => {
    const page = await renderLoadPage(aReport({ facts: search }));
    expect(page.split("<title>Latency by rate")).toHaveLength(3);
    expect(page).toContain(">20/s</text>");
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("says why a run that was not measured was not", async () => {
    const page = await renderLoadPage(
      aReport({ verdict: { kind: "error", reason: "no <k6>" } }),
      async () => undefined,
    );
    expect(page).toContain("no &#60;k6&#62;");
    expect(page).not.toContain("<svg");
  });
});
