import {
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { AnswerTimes } from "./job.ts";
import { methodOf } from "./labels.ts";

/** The span of one request. Where nothing is recorded, there is none. */
export type Trace = {
  traceId: string;
  spanId: string;
  /** Adds the spans of the queue and of the worker's three steps. */
  answered(times: AnswerTimes): void;
  end(request: { method: string; route: string; status: number }): void;
};

export type Tracing = {
  /** Starts a request's span, below the caller's when it sent a `traceparent`; undefined when it is not sampled. */
  start(request: Request): Trace | undefined;
  shutdown(): Promise<void>;
};

/**
 * OpenTelemetry traces of `ratio` (0..1) of the requests, and of those whose caller samples them. Which ones is decided
 * here, before the SDK makes a span: what is not recorded costs next to nothing.
 */
export function createTracing(options: { resource: Resource; ratio: number; processor: SpanProcessor }): Tracing {
  const provider = new TracerProvider({ resource: options.resource, spanProcessors: [options.processor] });
  const tracer = provider.getTracer("sluice");
  return {
    start({ headers, method }) {
      const caller = callerOf(headers.get("traceparent"));
      const isSampled = caller === undefined ? Math.random() < options.ratio : caller.traceFlags === TraceFlags.SAMPLED;
      if (!isSampled) return undefined;
      const parent = caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, caller);
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER }, parent);
      const context = trace.setSpan(parent, span);
      const { traceId, spanId } = span.spanContext();
      return {
        traceId,
        spanId,
        answered(times) {
          for (const [name, start, end] of stepsOf(times)) {
            const attributes = { "sluice.batch.size": times.items };
            tracer.startSpan(name, { startTime: start, attributes }, context).end(end);
          }
        },
        end: (request) => endSpan(span, request),
      };
    },
    shutdown: () => provider.shutdown(),
  };
}

function endSpan(span: Span, { method, route, status }: { method: string; route: string; status: number }): void {
  const known = methodOf(method);
  span.updateName(`${known} ${route}`);
  span.setAttributes({ "http.request.method": known, "http.route": route, "http.response.status_code": status });
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** The steps one after another, ending when the answer came back: the worker's clock is not this thread's. */
function stepsOf({ queuedAt, startedAt, encodeMs, runMs, decodeMs }: AnswerTimes): [string, number, number][] {
  const [queued, started] = [performance.timeOrigin + queuedAt, performance.timeOrigin + startedAt];
  return [
    ["queue", queued, started],
    ["encode", started, started + encodeMs],
    ["run", started + encodeMs, started + encodeMs + runMs],
    ["decode", started + encodeMs + runMs, started + encodeMs + runMs + decodeMs],
  ];
}

const shape = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** W3C Trace Context; a header that is not of its shape counts as absent. */
function callerOf(traceparent: string | null): SpanContext | undefined {
  if (traceparent === null) return undefined;
  const [, traceId = "", spanId = "", flags = ""] = shape.exec(traceparent) ?? [];
  const caller = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(caller) ? caller : undefined;
}
