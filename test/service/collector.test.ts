import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { z } from "zod";
import { type Collector, type Signal, startCollector } from "../support/collector.ts";
import { isInstalled } from "../support/external.ts";
import { temporaryFolder } from "../support/folder.ts";
import { patience, sample } from "../support/service-app.ts";
import { runtimes, type ServiceProcess, startProcess } from "../support/service-process.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(patience);

const traceId = "0af7651916cd43dd8448eb211c80319c";
const Attributes = z.array(z.looseObject({ key: z.string(), value: z.record(z.string(), z.unknown()) }));
const Span = z.looseObject({ name: z.string(), traceId: z.string(), spanId: z.string() });
const Traces = z.looseObject({
  resourceSpans: z.array(
    z.looseObject({
      resource: z.looseObject({ attributes: Attributes }),
      scopeSpans: z.array(z.looseObject({ spans: z.array(Span) })),
    }),
  ),
});
const Metrics = z.looseObject({
  resourceMetrics: z.array(
    z.looseObject({
      scopeMetrics: z.array(z.looseObject({ metrics: z.array(z.looseObject({ name: z.string() })) })),
    }),
  ),
});
const LogRecord = z.looseObject({
  traceId: z.string(),
  spanId: z.string(),
  severityText: z.string(),
  attributes: Attributes,
});
const Logs = z.looseObject({
  resourceLogs: z.array(z.looseObject({ scopeLogs: z.array(z.looseObject({ logRecords: z.array(LogRecord) })) })),
});

async function predict({ url, key }: ServiceProcess): Promise<number> {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
  };
  const response = await fetch(`${url}/v1/models/tabular/predict`, {
    method: "POST",
    body: JSON.stringify(sample),
    headers,
  });
  return response.status;
}

async function arrived<T>(collector: Collector, signal: Signal, schema: z.ZodType<T>): Promise<T[]> {
  await until(`${signal} at the collector`, () => (collector.received(signal).length > 0 ? true : undefined));
  return z.array(schema).parse(collector.received(signal));
}

describe.skipIf(!isInstalled("otelcol"))("a real OpenTelemetry Collector", () => {
  for (const runtime of runtimes) {
    test.skipIf(!runtime.found && process.env.CI !== "true")(
      `takes the traces, metrics and logs of the service on ${runtime.name}`,
      async () => {
        await using folder = await temporaryFolder();
        await using collector = await startCollector(folder.path);
        await using service = await startProcess(runtime, {
          env: { SLUICE_OTLP: collector.url, SLUICE_TRACE_RATIO: "0", SLUICE_REVISION: "r-1" },
        });
        expect(await predict(service)).toBe(200);
        service.kill("SIGTERM");
        expect(await service.exited).toBe(0); // a drain sends what is left

        const traces = (await arrived(collector, "traces", Traces)).flatMap(({ resourceSpans }) => resourceSpans);
        const spans = traces.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
        expect(spans.map(({ name }) => name).sort()).toEqual(
          ["POST /v1/models/tabular/predict", "decode", "encode", "queue", "run"].sort(),
        );
        expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
        expect(traces[0]?.resource.attributes).toContainEqual({
          key: "sluice.revision",
          value: { stringValue: "r-1" },
        });

        const metrics = (await arrived(collector, "metrics", Metrics))
          .flatMap(({ resourceMetrics }) => resourceMetrics)
          .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics.map(({ name }) => name)));
        expect(metrics).toContain("http_server_request_duration_seconds");
        expect(metrics).toContain("sluice_inference_duration_seconds");

        const records = (await arrived(collector, "logs", Logs))
          .flatMap(({ resourceLogs }) => resourceLogs)
          .flatMap(({ scopeLogs }) => scopeLogs.flatMap((scope) => scope.logRecords));
        const record = records.find((one) => one.traceId === traceId);
        const server = spans.find(({ name }) => name.startsWith("POST"));
        expect([record?.spanId, record?.severityText]).toEqual([server?.spanId, "INFO"]);
        expect(record?.attributes).toContainEqual({ key: "status", value: { intValue: "200" } });
      },
    );
  }
});
