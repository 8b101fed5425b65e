import { quantileName } from "../decide/quantile.ts";
import type { CapacityFacts, LoadFacts } from "../spec/load.ts";
import { binsOf } from "./bins.ts";
import type { Chart } from "./chart.ts";
import { armsOf } from "./load.ts";

const ink = { color: "var(--soft)", fontSize: 11 };
const rule = { lineStyle: { color: "var(--rule)" } };
const colours = { candidate: "var(--canary)", stable: "var(--stable)" };
const binCount = 40;

/** How the latencies of both arms are distributed; undefined when nothing was answered. */
export function distributionChart(facts: LoadFacts): Chart | undefined {
  const arms = armsOf(facts);
  const bins = binsOf(
    arms.map((arm) => arm.distribution),
    binCount,
  );
  if (bins.length < 2) return undefined;
  const series = arms.map(({ name }, arm) => ({
    ...line(name, colours[name]),
    step: "end",
    data: [...bins.map(({ fromMs, shares }) => [fromMs, 100 * (shares[arm] ?? 0)]), [bins.at(-1)?.toMs, 0]],
    areaStyle: { color: colours[name], opacity: 0.18 },
  }));
  return {
    title: "Response times",
    description: "Share of requests by response time, in percent; milliseconds on a logarithmic scale.",
    option: frame(series, {
      xAxis: { type: "log", min: bins[0]?.fromMs, max: bins.at(-1)?.toMs, axisLabel: { formatter: sayMs } },
      yAxis: { axisLabel: { formatter: "{value} %" } },
    }),
  };
}

/** The service's memory during a run; undefined when it was not watched. */
export function memoryChart({ memory }: LoadFacts): Chart | undefined {
  if (memory === null || memory.length < 2) return undefined;
  const series = {
    ...line("memory", colours.candidate),
    data: memory.map(({ atSeconds, mib }) => [atSeconds, mib]),
  };
  return {
    title: "Memory",
    description: "Resident memory of the service, in MiB, over the seconds of the run.",
    option: frame([series], {
      xAxis: {
        type: "value",
        min: 0,
        max: Math.ceil(memory.at(-1)?.atSeconds ?? 0),
        axisLabel: { formatter: "{value} s" },
      },
      yAxis: { min: 0, axisLabel: { formatter: "{value} MiB" } },
    }),
  };
}

/** Latency over the rate of a search. */
export function curveChart({ curve, best }: CapacityFacts): Chart {
  const shown = [0.5, 0.9, 0.99];
  const series = shown.map((quantile, i) => ({
    ...line(quantileName(quantile), `var(--metric-${i})`),
    showSymbol: true,
    data: curve.flatMap(({ ratePerSecond, response }) => {
      const found = response.find((one) => one.quantile === quantile);
      return found === undefined ? [] : [[ratePerSecond, Math.max(0.1, found.ms)]];
    }),
  }));
  const knee = {
    ...line("best", "var(--good)"),
    data: [],
    markLine: {
      silent: true,
      symbol: "none",
      data: [{ xAxis: best }],
      label: { formatter: `${best}/s`, color: "var(--good)" },
      lineStyle: { color: "var(--good)", type: "solid", width: 1.2 },
    },
  };
  return {
    title: "Latency by rate",
    description: "Response time at each rate that was tried, in milliseconds on a logarithmic scale.",
    option: frame([...series, ...(best > 0 ? [knee] : [])], {
      xAxis: { type: "value", min: "dataMin", max: "dataMax", axisLabel: { formatter: "{value}/s" } },
      yAxis: { type: "log", axisLabel: { formatter: sayMs } },
    }),
  };
}

type Axis = { axisLabel: object; [option: string]: unknown };

function frame(series: { name: string }[], { xAxis, yAxis }: { xAxis: Axis; yAxis: Axis }): Chart["option"] {
  const axis = { axisLine: rule, axisTick: rule, splitLine: { show: false } };
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 56, right: 26, top: 34, bottom: 26 },
    legend: {
      data: series.map(({ name }) => name).filter((name) => name !== "best"),
      top: 0,
      left: 0,
      icon: "rect",
      itemWidth: 12,
      itemHeight: 4,
      textStyle: { ...ink, color: "var(--ink)" },
    },
    xAxis: { ...axis, ...xAxis, axisLabel: { ...ink, hideOverlap: true, ...xAxis.axisLabel } },
    yAxis: { type: "value", splitNumber: 4, splitLine: rule, ...yAxis, axisLabel: { ...ink, ...yAxis.axisLabel } },
    series,
  };
}

function line(name: string, color: string) {
  return { name, type: "line", showSymbol: false, silent: true, color, lineStyle: { color, width: 1.8 } };
}

function sayMs(value: number): string {
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`;
}
