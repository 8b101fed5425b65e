import { expect, setDefaultTimeout, test } from "bun:test";
import { createRouteLabels } from "../../service/src/labels.ts";
import { createTelemetry, resourceOf } from "../../service/src/telemetry.ts";
import { createTracing } from "../../service/src/trace.ts";
import { serve } from "../support/server.ts";
import { patience, sample, type TestService, testService, until } from "../support/service-app.ts";
import { runtimes, type ServiceProcess, startProcess } from "../support/service-process.ts";

setDefaultTimeout(patience);

const caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Processor = Parameters<typeof createTracing>[0]["processor"];
type Ended = Parameters<Processor["onEnd"]>[0];

async function traced(ratio: number, use: (service: TestService) => Promise<unknown>): Promise<Ended[]> {
  const spans: Ended[] = [];
  const nothing = () => Promise.resolve();
  const processor: Processor = {
    onStart: () => undefined,
    onEnd: (span) => spans.push(span),
    forceFlush: nothing,
    shutdown: nothing,
  };
  const tracing = createTracing({ resource: resourceOf(), ratio, processor });
  const telemetry = { ...createTelemetry({ release: undefined, revision: undefined }), tracing };
  await using service = await testService({ deps: { telemetry } });
  await use(service);
  return spans;
}

test("the scrape and what is pushed have the same totals, even where the environment asks for differences", async () => {
  const pushed: unknown[] = [];
  const collector = serve(async (request) => {
    if (new URL(request.url).pathname === "/v1/metrics") pushed.push(await request.json());
    return Response.json({});
  });
  const name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
  process.env[name] = "delta";
  const otlp = { endpoint: collector.url, traceRatio: 0 };
  const telemetry = createTelemetry({ release: undefined, revision: undefined, otlp });
  delete process.env[name];
  const served = { method: "GET", route: "/v1/models", status: 200, durationMs: 2 };
  const scraped = async () =>
    /^http_server_request_duration_seconds_count\{.*\} (\d+)/m.exec(await telemetry.scrape())?.[1];
  telemetry.served(served);
  expect(await scraped()).toBe("1");
  telemetry.served(served);
  expect(await scraped()).toBe("2");
  await telemetry.shutdown();
  const metrics = expect.arrayContaining([
    expect.objectContaining({
      name: "http_server_request_duration_seconds",
      histogram: expect.objectContaining({ dataPoints: [expect.objectContaining({ count: 2, sum: 0.004 })] }),
    }),
  ]);
  expect(pushed).toMatchObject([{ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }]);
  await collector.stop();
});

test("a request's trace joins its caller's, and shows the queue and each step of the worker", async () => {
  let service: TestService | undefined;
  const spans = await traced(0, async (made) => {
    service = made;
    expect((await made.predict(sample, { traceparent: caller })).status).toBe(200);
  });
  const server = spans.find(({ name }) => name === "POST /v1/models/tabular/predict");
  expect(server?.spanContext().traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  expect(server?.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
  expect(server?.attributes["http.response.status_code"]).toBe(200);
  const steps = spans.filter((span) => span.parentSpanContext?.spanId === server?.spanContext().spanId);
  expect(steps.map(({ name }) => name)).toEqual(["queue", "encode", "run", "decode"]);
  expect(service?.log.at(-1)?.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
});

test.each(["", "00-zz-01", caller.replace("01", "zz"), "00-00000000000000000000000000000000-b7ad6b7169203331-01"])(
  "a traceparent that is not one counts as absent: %p",
  async (traceparent) => {
    const spans = await traced(1, (service) => service.ask("/livez", { headers: { traceparent } }));
    expect(spans.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined]);
  },
);

test("no span holds a key, a body or a path that a client made up", async () => {
  let key = "";
  const spans = await traced(1, async (service) => {
    key = service.key;
    await service.predict({ features: ["secret-value"] });
    await service.ask("/nope/secret-path");
  });
  const said = JSON.stringify(spans.map(({ name, attributes, events }) => ({ name, attributes, events })));
  expect(spans).toHaveLength(2);
  for (const word of [key, "secret-value", "secret-path"]) expect(said).not.toContain(word);
});

test("metrics count requests by route, method and status, and have no label that a client makes up", async () => {
  await using service = await testService();
  await service.predict(sample);
  await service.predict({});
  for (const path of ["/a", "/b", "/c"]) await service.ask(path);
  const text = await (await service.ask("/metrics")).text();
  const count = (route: string, status: number) =>
    new RegExp(
      `http_server_request_duration_seconds_count\\{[^}]*http_route="${route}"[^}]*status_code="${status}"[^}]*\\} (\\d+)`,
    ).exec(text)?.[1];
  expect(count("/v1/models/tabular/predict", 200)).toBe("1");
  expect(count("/v1/models/tabular/predict", 422)).toBe("1");
  expect(count("unmatched", 404)).toBe("3");
  expect(text).toMatch(/_duration_seconds_count\{[^}]*method="POST"[^}]*model_name="tabular",model_version="1\.0\.0"/);
  expect(text).toMatch(/sluice_queue_depth\{[^}]*model_name="tabular"[^}]*\} 0/);
  expect(text).toMatch(/sluice_workers\{[^}]*model_version="1\.0\.0"[^}]*\} 1/);
});

test("createRouteLabels() names the newest model where a route names no version, and no method of a client's making", () => {
  const labels = createRouteLabels();
  for (const version of ["9.0.0", "10.0.0", "2.0.0"]) labels.add({ name: "m", version });
  const of = (method: string, route: string) => labels.of({ method, route, status: 200 });
  expect(of("POST", "/v1/models/m/predict")["model.version"]).toBe("10.0.0");
  expect(of("POST", "/v2/models/m/versions/2.0.0/infer")["model.version"]).toBe("2.0.0");
  for (const route of ["/v1/models", "/v1/models/:name/predict", "unmatched"]) {
    expect(of("GET", route)).not.toHaveProperty("model.name");
  }
  expect([of("GET", "/x"), of("MADE-UP", "/x")].map((one) => one["http.request.method"])).toEqual(["GET", "_OTHER"]);
});

test("traces, metrics and logs are sent to a collector that is configured", async () => {
  const paths = new Set<string>();
  const collector = serve(async (request) => {
    paths.add(new URL(request.url).pathname);
    await request.arrayBuffer();
    return Response.json({});
  });
  const [bun] = runtimes;
  if (bun === undefined) throw new Error("There is no runtime");
  await using service = await startProcess(bun, { env: { SLUICE_OTLP: collector.url, SLUICE_TRACE_RATIO: "1" } });
  await fetch(`${service.url}/livez`);
  service.kill("SIGTERM");
  expect(await service.exited).toBe(0); // a drain sends what is left
  expect([...paths].sort()).toEqual(["/v1/logs", "/v1/metrics", "/v1/traces"]);
  await collector.stop();
});

test("a collector that is down costs no request and no drain", async () => {
  const gone = serve(() => new Response());
  await gone.stop();
  await serveBeside(gone.url, (service) => service.output().includes("logs cannot be sent"));
});

test("a collector that takes everything and never answers costs no request and no drain", async () => {
  const stuck = serve(() => new Promise<Response>(() => undefined));
  await serveBeside(stuck.url, () => stuck.seen() > 0);
  await stuck.stop();
});

/** Serves beside that collector, waits until it met it, and drains. */
async function serveBeside(collector: string, met: (service: ServiceProcess) => boolean): Promise<void> {
  const [bun] = runtimes;
  if (bun === undefined) throw new Error("There is no runtime");
  await using service = await startProcess(bun, { env: { SLUICE_OTLP: collector, SLUICE_TRACE_RATIO: "1" } });
  const ask = async () => expect((await fetch(`${service.url}/livez`)).status).toBe(200);
  for (let i = 0; i < 600; i += 1) await ask();
  await until(() => met(service));
  await ask();
  service.kill("SIGTERM");
  expect(await service.exited).toBe(0);
  expect(service.output()).toContain("the last telemetry was not sent");
}
