import { expect, test } from "bun:test";
import { effectOf } from "../../pipeline/src/simulate/effect.ts";
import { faults } from "../../pipeline/src/simulate/fault.ts";
import { modelled } from "../../pipeline/src/simulate/latencies.ts";
import type { Tally } from "../../pipeline/src/simulate/many.ts";
import { simulationTable } from "../../pipeline/src/simulate/page.ts";
import { simulationChart } from "../../pipeline/src/simulate/svg.ts";
import { aStrategy } from "../support/policies.ts";

const tally: Tally = {
  fault: "errors-1-percent",
  runs: 40,
  promoted: 9,
  aborted: 30,
  paused: 1,
  rate: 0.75,
  low: 0.588,
  high: 0.873,
  medianRequests: 512,
  medianSeconds: 24,
  promotedSeconds: 70,
};

test("simulationTable() shows rate, interval, bar and medians; a dash where nothing was taken back", () => {
  const lines = simulationTable([
    tally,
    { ...tally, fault: "none", rate: 0, medianRequests: null, medianSeconds: null },
  ]);
  const [, , row, none] = lines.split("\n");
  expect(row).toMatch(/errors-1-percent \| 40 .*\| 75 % .*\| 58\.8 % to 87\.3 % \| █{15}·{5} \| 1 .*\| 512 .*\| 24 s/);
  expect(none).toMatch(/\| 0 % .*·{20} \| 1 .*\| - +\| -/);
});

test("simulationChart() is one SVG with a bar and an interval for each fault", () => {
  const svg = simulationChart([{ title: "laptop", tallies: [tally, { ...tally, fault: "none", rate: 0 }] }]);
  expect(svg).toStartWith("<svg ");
  expect(svg.trimEnd()).toEndWith("</svg>");
  expect(svg.match(/<rect x=/g)).toHaveLength(2);
  expect(svg).toContain('width="195.0"');
  expect(svg).toContain(">errors-1-percent</text>");
});

test.each([
  ["none", 1, 1, 1],
  ["slower-30-percent", 1.3, 1.3, 1.3],
  ["p99-30-percent", 1, 1.1, 1.3],
  ["slower-10-percent", 1.1, 1.1, 1.1],
] as const)("effectOf() %s is what its name says", (name, p50, p90, p99) => {
  const site = { ratePerSecond: 100, swing: 0, errorRate: 0, noiseRate: 0, latencies: modelled(5) };
  const effect = effectOf(faults[name], site, { policy: aStrategy().judge, quantile: 0.9 });
  expect(effect.p50 / p50).toBeCloseTo(1, 1);
  expect(effect.p90 / p90).toBeCloseTo(1, 1);
  expect(Math.abs(effect.p99 / p99 - 1)).toBeLessThan(0.08);
});
