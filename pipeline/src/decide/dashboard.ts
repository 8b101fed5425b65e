import type { Slo, SloPolicy } from "../spec/policy.ts";
import { type Dashboard, layOut, type Section, type Shown } from "./grafana.ts";
import { quantileName } from "./quantile.ts";
import { errorRatio } from "./rules.ts";

const duration = "http_server_request_duration_seconds";
const window = "$__rate_interval";
const ofRelease = 'sluice_release=~"$release"';
const ofModel = `${ofRelease},model_name=~"$model"`;
const ofRoute = `${ofRelease},http_route=~"$route"`;
const byModel = "model_name, model_version, sluice_release";
const modelLegend = "{{model_name}} {{model_version}} {{sluice_release}}";

/** A dashboard of what the service measures; the limits are those of `slo.yaml`. Import it into Grafana as JSON. */
export function grafanaDashboard({ models }: SloPolicy): Dashboard {
  const slos = Object.values(models);
  const sections: Section[] = [
    ["Requests", requestGraphs(slos)],
    ["Models", modelGraphs],
    ["Objectives", Object.entries(models).map(([model, { maxErrorRate }]) => budgetGraph(model, maxErrorRate))],
  ];
  return layOut(sections, [
    { name: "release", metric: `${duration}_count`, label: "sluice_release" },
    { name: "model", metric: "sluice_workers", label: "model_name" },
    { name: "route", metric: `${duration}_count`, label: "http_route" },
  ]);
}

function requestGraphs(slos: Slo[]): Shown[] {
  const rate = (labels: string, by: string) => `sum by (${by}) (rate(${duration}_count{${labels}}[${window}]))`;
  const spoken = rate(`${ofRoute},http_response_status_code!~"4.."`, "sluice_release");
  const failed = rate(`${ofRoute},http_response_status_code=~"5.."`, "sluice_release");
  const quantiles = [...new Set(slos.flatMap(({ latency }) => latency.map((limit) => limit.quantile)))].sort(
    (a, b) => a - b,
  );
  return [
    {
      title: "Rate by route",
      description: "Answered requests a second, of every status",
      unit: "reqps",
      queries: [[rate(ofRoute, "http_route, sluice_release"), "{{http_route}} {{sluice_release}}"]],
    },
    {
      title: "Errors by release",
      description: "Share of 5xx among what speaks of the service: a client's own mistakes, 4xx, are left out",
      unit: "percentunit",
      queries: [[`(${failed} or 0 * ${spoken}) / ${spoken}`, "{{sluice_release}}"]],
      limits: slos.map(({ maxErrorRate }) => maxErrorRate),
    },
    ...quantiles.map((quantile) => latencyGraph(quantile, slos)),
    {
      title: "Refused by status",
      description: "429: beyond a principal's rate. 503: no room in the queue, not ready, or a worker was lost",
      unit: "reqps",
      queries: [
        [
          rate(`${ofRoute},http_response_status_code=~"[45].."`, "http_response_status_code, sluice_release"),
          "{{http_response_status_code}} {{sluice_release}}",
        ],
      ],
    },
  ];
}

function latencyGraph(quantile: number, slos: Slo[]): Shown {
  const limits = slos.flatMap(({ latency }) => latency.filter((limit) => limit.quantile === quantile));
  const labels = `${ofRoute},http_response_status_code=~"2.."`;
  return {
    title: `Latency ${quantileName(quantile)} by route`,
    description: "Of successful answers, from the request's arrival to its answer",
    unit: "s",
    queries: [
      [quantileOf(quantile, duration, labels, "http_route, sluice_release"), "{{http_route}} {{sluice_release}}"],
    ],
    limits: limits.map(({ maxMs }) => maxMs / 1000),
  };
}

const modelGraphs: Shown[] = [
  {
    title: "Queue",
    description: "Requests that wait for a worker",
    unit: "short",
    queries: [[`sum by (${byModel}) (sluice_queue_depth{${ofModel}})`, modelLegend]],
  },
  quantileGraph("Wait p99", "Time in the queue of the first request of a run", "sluice_queue_wait_seconds"),
  quantileGraph("Run time p99", "Time of one model run", "sluice_inference_duration_seconds"),
  {
    title: "Batch size",
    description: "Mean number of requests that share a run",
    unit: "short",
    queries: [[`${sumRate("sluice_batch_size_sum")} / ${sumRate("sluice_batch_size_count")}`, modelLegend]],
  },
  {
    title: "Workers",
    description: "Workers that can answer",
    unit: "short",
    queries: [[`sum by (${byModel}) (sluice_workers{${ofModel}})`, modelLegend]],
  },
  {
    title: "Worker restarts",
    description: "Workers that were replaced within the last five minutes, by reason",
    unit: "short",
    queries: [
      [
        `sum by (${byModel}, reason) (increase(sluice_worker_restarts_total{${ofModel}}[5m]))`,
        `${modelLegend} {{reason}}`,
      ],
    ],
  },
];

function budgetGraph(model: string, maxErrorRate: number): Shown {
  const windows = ["5m", "1h", "6h", "3d"];
  return {
    title: `Error ratio of ${model}`,
    description: "From the recording rules of sluice rules; the line is what slo.yaml allows",
    unit: "percentunit",
    queries: windows.map((window) => [`${errorRatio(window)}{model="${model}"}`, window]),
    limits: [maxErrorRate],
  };
}

function quantileGraph(title: string, description: string, metric: string): Shown {
  return { title, description, unit: "s", queries: [[quantileOf(0.99, metric, ofModel, byModel), modelLegend]] };
}

function quantileOf(quantile: number, metric: string, labels: string, by: string): string {
  return `histogram_quantile(${quantile}, sum by (le, ${by}) (rate(${metric}_bucket{${labels}}[${window}])))`;
}

function sumRate(metric: string): string {
  return `sum by (${byModel}) (rate(${metric}{${ofModel}}[${window}]))`;
}
