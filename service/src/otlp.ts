import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { AggregationTemporalityPreference, OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchLogRecordProcessor, type LogRecordExporter } from "@opentelemetry/sdk-logs";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import type { Log } from "./log.ts";

// All give up after a while: a collector that is slow or down costs what it would have been told, and nothing else.
// One of them says so for all.

const timeoutMillis = 5_000;
const queue = { maxQueueSize: 4_096, scheduledDelayMillis: 1_000 };

// Totals, whatever the environment says: the scrape reads the same sums, and a push must not begin them anew.
const temporalityPreference = AggregationTemporalityPreference.CUMULATIVE;

/** Sends metrics to the collector at `endpoint`, every 15 seconds and when it is shut down. */
export function metricPush(endpoint: string): PeriodicExportingMetricReader {
  const exporter = new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, timeoutMillis, temporalityPreference });
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 15_000 });
}

/** Sends spans to the collector at `endpoint`, every second; more than 4096 that wait are dropped. */
export function tracePush(endpoint: string): BatchSpanProcessor {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis });
  return new BatchSpanProcessor({ exporter, ...queue });
}

/** Sends log records in the same way, and tells `local` once when they cannot be sent, and once when they can be again. */
export function logPush(endpoint: string, local: Log): BatchLogRecordProcessor {
  const exporter = new OTLPLogExporter({ url: `${endpoint}/v1/logs`, timeoutMillis });
  const tell = createOutageTeller(endpoint, local);
  const told: LogRecordExporter = {
    export(records, done) {
      exporter.export(records, (result) => {
        tell(result.error);
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
  return new BatchLogRecordProcessor({ exporter: told, ...queue });
}

function createOutageTeller(endpoint: string, local: Log): (failure: Error | undefined) => void {
  let isDown = false;
  return (failure) => {
    if (failure !== undefined && !isDown) {
      const message = "logs cannot be sent: records are dropped";
      local.write({ level: "warn", message, endpoint, cause: failure.message });
    }
    if (failure === undefined && isDown) local.write({ level: "info", message: "logs are sent again" });
    isDown = failure !== undefined;
  };
}
