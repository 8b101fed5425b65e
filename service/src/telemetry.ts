import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationType, MeterProvider } from "@opentelemetry/sdk-metrics";
import { createRouteLabels, labelsOf, type ModelName } from "./labels.ts";
import { metricPush, tracePush } from "./otlp.ts";
import { type PoolEvents, restartReasons } from "./pool.ts";
import { createTracing, type Tracing } from "./trace.ts";

/** What is measured of one answered request. `route` is the pattern, never the path. */
export type Served = { method: string; route: string; status: number; durationMs: number };

export type Telemetry = {
  served(request: Served): void;
  /** What a model's pool reports; `gauges` is asked at each scrape. */
  poolEvents(model: ModelName): PoolEvents;
  /** Also lets the routes of that model be counted by its name and version. */
  watchPool(model: ModelName, gauges: { depth: number; ready: number }): void;
  /** The metrics in Prometheus's text format. */
  scrape(): Promise<string>;
  /** Absent when nothing is exported. */
  tracing?: Tracing;
  /** Sends what is left; whoever cannot wait for that ends the process. */
  shutdown(): Promise<void>;
};

/** What is exported, and where to: `endpoint` is the base address of an OpenTelemetry collector's HTTP port. */
export type TelemetryOptions = {
  release: string | undefined;
  revision: string | undefined;
  otlp?: { endpoint: string; traceRatio: number };
};

/**
 * Bounds of the latency histograms, in seconds. An alert on a limit of `slo.yaml` is exact where the limit is one of
 * them, and interpolated elsewhere; hence many of them where limits are.
 */
export const seconds = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.075, 0.1, 0.12, 0.15],
  ...[0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 2.5, 5, 10],
];
const sizes = [1, 2, 4, 8, 16, 32, 64];

/** OpenTelemetry metrics and traces of one process. Release and revision become labels of every series. */
export function createTelemetry({ release, revision, otlp }: TelemetryOptions): Telemetry {
  // One reader for both the scrape and the push: each would keep sums of its own, and every record costs that much more.
  const reader = otlp === undefined ? new PrometheusExporter({ preventServerStart: true }) : metricPush(otlp.endpoint);
  const serializer = new PrometheusSerializer(undefined, false, /^sluice\./);
  const resource = resourceOf(release, revision);
  const routeLabels = createRouteLabels();
  const provider = new MeterProvider({
    readers: [reader],
    resource,
    views: [
      histogram("http_server_request_duration_seconds", seconds),
      ...["sluice_queue_wait_seconds", "sluice_inference_duration_seconds"].map((name) => histogram(name, seconds)),
      histogram("sluice_batch_size", sizes),
    ],
  });
  const tracing =
    otlp === undefined
      ? undefined
      : createTracing({ resource, ratio: otlp.traceRatio, processor: tracePush(otlp.endpoint) });
  const meter = provider.getMeter("sluice");
  const duration = meter.createHistogram("http_server_request_duration_seconds", { description: "Time to answer" });
  const wait = meter.createHistogram("sluice_queue_wait_seconds", {
    description: "Time in the queue of the first request of a run",
  });
  const run = meter.createHistogram("sluice_inference_duration_seconds", { description: "Time of one model run" });
  const batch = meter.createHistogram("sluice_batch_size", { description: "Items of one model run" });
  const restarts = meter.createCounter("sluice_worker_restarts", { description: "Workers that were replaced" });
  const depth = meter.createObservableGauge("sluice_queue_depth", { description: "Requests that wait" });
  const workers = meter.createObservableGauge("sluice_workers", { description: "Workers that can answer" });
  return {
    ...(tracing === undefined ? {} : { tracing }),
    async shutdown() {
      await Promise.allSettled([tracing?.shutdown(), provider.shutdown()]);
    },
    served(request) {
      duration.record(request.durationMs / 1000, routeLabels.of(request));
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
      routeLabels.add(model);
      // A counter is seen once it was added to; rates need its beginning.
      for (const reason of restartReasons) restarts.add(0, { ...labels, reason });
      depth.addCallback((result) => result.observe(gauges.depth, labels));
      workers.addCallback((result) => result.observe(gauges.ready, labels));
    },
    async scrape() {
      const { resourceMetrics } = await reader.collect();
      return serializer.serialize(resourceMetrics);
    },
  };
}

/** Whose telemetry it is, in OpenTelemetry's words. */
export function resourceOf(release = "none", revision = "none") {
  return resourceFromAttributes({ "service.name": "sluice", "sluice.release": release, "sluice.revision": revision });
}

function histogram(instrumentName: string, boundaries: number[]) {
  return {
    instrumentName,
    aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries } },
  } as const;
}
