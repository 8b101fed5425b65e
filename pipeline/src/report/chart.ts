import type { EChartsCoreOption } from "echarts/core";
import { type ArmName, type ArmSummary, armNames } from "./arms.ts";
import type { RolloutSummary } from "./summary.ts";

/** One chart: what it is called, what it shows in words, and how ECharts draws it. */
export interface Chart {
  title: string;
  description: string;
  option: EChartsCoreOption;
}

type XY = [seconds: number, value: number | null];

const ink = { color: "var(--soft)", fontSize: 11 };
const rule = { lineStyle: { color: "var(--rule)" } };

/** The charts of a rollout, in the order of the page. A rollout without a look has only its weights. */
export function chartsOf(summary: RolloutSummary): Chart[] {
  if (summary.points.length === 0) return [weights(summary)];
  return [weights(summary), rates(summary), errors(summary), latency(summary), evidence(summary)];
}

function weights(summary: RolloutSummary): Chart {
  const last = summary.weights.at(-1);
  const series = (["stable", "baseline", "canary"] as const).map((arm) => ({
    ...line(arm, [
      ...summary.weights.map((change): XY => [change.seconds, change[arm]]),
      [summary.seconds, last?.[arm] ?? null],
    ]),
    step: "end",
    stack: "share",
    lineStyle: { width: 0 },
    areaStyle: { color: `var(--${arm})`, opacity: 0.85 },
  }));
  return {
    title: "Traffic",
    description: "Share of new requests by arm, in percent, over time.",
    option: frame(summary, {
      series,
      yAxis: { max: 100, interval: 25, axisLabel: { formatter: "{value} %" } },
      marks: false,
    }),
  };
}

function rates(summary: RolloutSummary): Chart {
  const series = armNames.map((arm) =>
    line(
      arm,
      pointsOf(summary, arm, ({ requests }, over) => requests / over),
    ),
  );
  return {
    title: "Requests per second",
    description: "Requests that each arm answered, per second, over time.",
    option: frame(summary, { series }),
  };
}

function errors(summary: RolloutSummary): Chart {
  const series = armNames.map((arm) => ({
    ...line(
      arm,
      pointsOf(summary, arm, ({ requests, errors }) => (requests === 0 ? null : (100 * errors) / requests)),
    ),
    step: "start",
  }));
  const worst = Math.max(...series.flatMap(({ data }) => data.map(([, percent]) => percent ?? 0)));
  return {
    title: "Errors",
    description: "Share of requests that failed between two looks, by arm, in percent.",
    option: frame(summary, {
      series,
      yAxis: { ...(worst > 1 ? {} : { max: 1, interval: 0.25 }), axisLabel: { formatter: "{value} %" } },
    }),
  };
}

/** A band reaches from the median to the 99th percentile. */
function latency(summary: RolloutSummary): Chart {
  const series = (["baseline", "canary"] as const).flatMap((arm) => {
    const low = pointsOf(summary, arm, ({ p50Ms }) => p50Ms);
    const high = pointsOf(summary, arm, ({ p99Ms }) => p99Ms);
    const height = high.map(([x, y], i): XY => [x, y === null ? null : y - (low[i]?.[1] ?? 0)]);
    const floor = { ...line(arm, low), stack: arm, lineStyle: { color: `var(--${arm})`, width: 1, type: [3, 3] } };
    return [floor, { ...line(arm, height), stack: arm, areaStyle: { color: `var(--${arm})`, opacity: 0.18 } }];
  });
  return {
    title: "Latency",
    description: "From the median (dashed) to the 99th percentile (solid) between two looks, in milliseconds.",
    option: frame(summary, { series, yAxis: { axisLabel: { formatter: "{value} ms" } } }),
  };
}

function evidence(summary: RolloutSummary): Chart {
  const threshold = summary.evidence[0]?.threshold ?? 1;
  const top = 10 ** Math.ceil(Math.log10(threshold) + 1);
  const dashes = { baseline: "solid", stable: "solid", slo: [4, 3] } as const;
  const series = summary.evidence.map(({ name, against, points }, i) => ({
    ...line(`${name} vs ${against === "slo" ? "SLO" : against}`, []),
    data: points.map((point): XY => [point.seconds, Math.min(top, Math.max(0.01, point.evidence))]),
    color: `var(--metric-${i % 6})`,
    lineStyle: { color: `var(--metric-${i % 6})`, width: 1.8, type: dashes[against] },
  }));
  const limit = {
    ...line("limit", []),
    markLine: {
      silent: true,
      symbol: "none",
      data: [{ yAxis: threshold }],
      label: { formatter: "fails here", position: "insideEndTop", color: "var(--bad)" },
      lineStyle: { color: "var(--bad)", type: "solid", width: 1.2 },
    },
  };
  return {
    title: "The judge's evidence against the canary",
    description: `An e-value for each metric, on a logarithmic scale; 1 is no evidence, ${Math.round(threshold)} is a failure.`,
    option: frame(summary, {
      series: [...series, limit],
      yAxis: { type: "log", min: 0.01, max: top, axisLabel: { formatter: sayPower } },
    }),
  };
}

interface Parts {
  series: { name: string }[];
  yAxis?: Record<string, unknown>;
  /** Whether a line marks each change of weights. */
  marks?: boolean;
}

function frame(summary: RolloutSummary, { series, yAxis = {}, marks = true }: Parts): EChartsCoreOption {
  const names = [...new Set(series.map(({ name }) => name))].filter((name) => name !== "limit");
  const grown = names.length > 3;
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 48, right: 14, top: grown ? 62 : 34, bottom: 26 },
    legend: {
      data: names,
      top: 0,
      left: 0,
      icon: "rect",
      itemWidth: 12,
      itemHeight: 4,
      itemGap: 20,
      textStyle: { ...ink, color: "var(--ink)" },
    },
    xAxis: {
      type: "value",
      min: 0,
      max: summary.seconds,
      axisLabel: { ...ink, formatter: sayTime, showMaxLabel: false, hideOverlap: true },
      axisLine: rule,
      axisTick: rule,
      splitLine: { show: false },
    },
    yAxis: { type: "value", min: 0, splitNumber: 4, splitLine: rule, ...yAxis, axisLabel: { ...ink, ...label(yAxis) } },
    series: marks ? [...series, { ...line("limit", []), markLine: weightMarks(summary) }] : series,
  };
}

function label(axis: Record<string, unknown>): object {
  return typeof axis.axisLabel === "object" && axis.axisLabel !== null ? axis.axisLabel : {};
}

function weightMarks({ weights }: RolloutSummary): object {
  return {
    silent: true,
    symbol: "none",
    data: weights.slice(1).map(({ seconds }) => ({ xAxis: seconds })),
    label: { show: false },
    lineStyle: { color: "var(--rule)", type: [2, 2], width: 1 },
  };
}

function line(name: string, data: XY[]) {
  const color = `var(--${name})`;
  return { name, type: "line", data, showSymbol: false, silent: true, color, lineStyle: { color, width: 1.8 } };
}

function pointsOf(
  { points }: RolloutSummary,
  arm: ArmName,
  value: (arm: ArmSummary, over: number) => number | null,
): XY[] {
  return points.map((point) => [point.seconds, value(point.arms[arm], point.over)]);
}

function sayTime(seconds: number): string {
  return seconds < 60
    ? `${seconds} s`
    : `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;
}

function sayPower(value: number): string {
  return value < 1 ? String(value) : value.toLocaleString("en");
}
