import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationType, MeterProvider } from "@opentelemetry/sdk-metrics";
import type { PoolEvents } from "./pool.ts";

/** What is measured of one answered request. `route` is the pattern, never the path. */
export type Served = { method: string; route: string; status: number; durationMs: number };

type ModelName = { name: string; version: string };

export type Telemetry = {
  served(request: Served): void;
  /** What a model's pool reports; `gauges` is asked at each scrape. */
  poolEvents(model: ModelName): PoolEvents;
  watchPool(model: ModelName, gauges: { depth: number; ready: number }): void;
  /** The metrics in Prometheus's text format. */
  scrape(): Promise<string>;
};

/** Names carry their unit: the scrape writes them as they are. */
const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const sizes = [1, 2, 4, 8, 16, 32, 64];

/** OpenTelemetry metrics of one process. `release` and `revision` become labels of every series. */
export function createTelemetry(about: { release: string | undefined; revision: string | undefined }): Telemetry {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, /^sluice\./);
  const provider = new MeterProvider({
    readers: [exporter],
    resource: resourceFromAttributes({
      "service.name": "sluice",
      "sluice.release": about.release ?? "none",
      "sluice.revision": about.revision ?? "none",
    }),
    views: [
      histogram("http_server_request_duration_seconds", seconds),
      ...["sluice_queue_wait_seconds", "sluice_inference_duration_seconds"].map((name) => histogram(name, seconds)),
      histogram("sluice_batch_size", sizes),
    ],
  });
  const meter = provider.getMeter("sluice");
  const duration = meter.createHistogram("http_server_request_duration_seconds", { description: "Time to answer" });
  const wait = meter.createHistogram("sluice_queue_wait_seconds", { description: "Time in a model's queue" });
  const run = meter.createHistogram("sluice_inference_duration_seconds", { description: "Time of one model run" });
  const batch = meter.createHistogram("sluice_batch_size", { description: "Items of one model run" });
  const restarts = meter.createCounter("sluice_worker_restarts", { description: "Workers that were replaced" });
  const depth = meter.createObservableGauge("sluice_queue_depth", { description: "Requests that wait" });
  const workers = meter.createObservableGauge("sluice_workers", { description: "Workers that can answer" });
  return {
    served({ method, route, status, durationMs }) {
      duration.record(durationMs / 1000, {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
      });
    },
    poolEvents(model) {
      const labels = labelsOf(model);
      return {
        onWait: (waitMs) => wait.record(waitMs / 1000, labels),
        onRun(times) {
          run.record(times.runMs / 1000, labels);
          batch.record(times.items, labels);
        },
        onRestart: (reason) => restarts.add(1, { ...labels, reason }),
      };
    },
    watchPool(model, gauges) {
      const labels = labelsOf(model);
      depth.addCallback((result) => result.observe(gauges.depth, labels));
      workers.addCallback((result) => result.observe(gauges.ready, labels));
    },
    async scrape() {
      const { resourceMetrics } = await exporter.collect();
      return serializer.serialize(resourceMetrics);
    },
  };
}

function labelsOf({ name, version }: ModelName) {
  return { "model.name": name, "model.version": version };
}

function histogram(instrumentName: string, boundaries: number[]) {
  return {
    instrumentName,
    aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries } },
  } as const;
}
