import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort } from "./registry.ts";
import { serve } from "./server.ts";
import { until } from "./until.ts";

/** A real OpenTelemetry Collector. */
export type Collector = {
  url: string;
  /** What it took for a signal and handed on, as OTLP in JSON. */
  received(signal: Signal): unknown[];
} & AsyncDisposable;

export type Signal = "traces" | "metrics" | "logs";

/** Starts the collector with its files in `folder`; it hands on what it takes to this process. */
export async function startCollector(folder: string): Promise<Collector> {
  const received: Record<string, unknown[]> = { traces: [], metrics: [], logs: [] };
  const sink = serve(async (request) => {
    received[new URL(request.url).pathname.replace("/v1/", "")]?.push(await request.json());
    return Response.json({});
  });
  const endpoint = `127.0.0.1:${await freePort()}`;
  const path = join(folder, "otelcol.yaml");
  await writeFile(path, stringify(configOf(endpoint, sink.url)));
  const child = Bun.spawn(["otelcol", "--config", path], { stdout: "ignore", stderr: "pipe" });
  let said = "";
  const reading = (async () => {
    for await (const chunk of child.stderr) said += new TextDecoder().decode(chunk);
  })();
  await until("the collector to be ready", () => {
    if (child.exitCode !== null) throw new Error(`The collector ended: ${said}`);
    return said.includes("Everything is ready") ? true : undefined;
  });
  return {
    url: `http://${endpoint}`,
    received: (signal) => received[signal] ?? [],
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await Promise.all([child.exited, reading]);
      await sink.stop();
    },
  };
}

function configOf(endpoint: string, sink: string) {
  const pipeline = { receivers: ["otlp"], exporters: ["otlphttp"] };
  return {
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { otlphttp: { endpoint: sink, encoding: "json", compression: "none" } },
    service: {
      telemetry: { metrics: { level: "none" } },
      pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
    },
  };
}
