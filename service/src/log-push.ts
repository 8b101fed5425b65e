import { type Context, ROOT_CONTEXT, SeverityNumber, TraceFlags, trace } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { LoggerProvider, type LogRecordProcessor } from "@opentelemetry/sdk-logs";
import type { Log } from "./log.ts";

const severities = { info: SeverityNumber.INFO, warn: SeverityNumber.WARN, error: SeverityNumber.ERROR };

export type LogPush = Log & { shutdown(): Promise<void> };

/** OpenTelemetry logs: each line as a record, joined to the trace that it names. */
export function createLogPush(options: { resource: Resource; processor: LogRecordProcessor }): LogPush {
  const provider = new LoggerProvider({ resource: options.resource, processors: [options.processor] });
  const logger = provider.getLogger("sluice");
  return {
    write({ level, message, traceId, spanId, ...attributes }) {
      const severity = { severityNumber: severities[level], severityText: level.toUpperCase() };
      logger.emit({ ...severity, body: message, attributes, context: contextOf(traceId, spanId) });
    },
    shutdown: () => provider.shutdown(),
  };
}

/** A log that writes to both. */
export function joinLogs(one: Log, other: Log): Log {
  return {
    write(entry) {
      one.write(entry);
      other.write(entry);
    },
  };
}

/** Only what is sampled has a trace to name. */
function contextOf(traceId: unknown, spanId: unknown): Context {
  if (typeof traceId !== "string" || typeof spanId !== "string") return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
}
