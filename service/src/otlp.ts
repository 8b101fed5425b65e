import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";

// Both give up quietly: a collector that is down costs what it would have been told, and nothing else.

/** Sends metrics to the collector at `endpoint`, every 15 seconds and when it is shut down. */
export function metricPush(endpoint: string): PeriodicExportingMetricReader {
  const exporter = new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, timeoutMillis: 5_000 });
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 15_000 });
}

/** Sends spans to the collector at `endpoint`, every second; more than 4096 that wait are dropped. */
export function tracePush(endpoint: string): BatchSpanProcessor {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: 5_000 });
  return new BatchSpanProcessor({ exporter, maxQueueSize: 4_096, scheduledDelayMillis: 1_000 });
}
