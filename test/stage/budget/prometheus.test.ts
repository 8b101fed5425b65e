import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { servedByPrometheus } from "../../../pipeline/src/stage/budget/prometheus.ts";
import { isInstalled } from "../../support/external.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { serve } from "../../support/server.ts";
import { until } from "../../support/until.ts";

/** Metrics as the service has them; each scrape finds 100 more good answers, 2 more failed ones, 9 more 4xx. */
function scraped(index: number): string {
  const line = (code: string, count: number) =>
    `http_server_request_duration_seconds_count{http_route="/v1/models/digits/predict",http_response_status_code="${code}"} ${count}\n`;
  return line("200", index * 100) + line("500", index * 2) + line("422", index * 9);
}

/** A real Prometheus that scrapes `target` (host:port) every 100 ms, on a free port. */
async function aPrometheus(folder: string, target: string) {
  const config = `scrape_configs: [{ job_name: service, scrape_interval: 100ms, scrape_timeout: 100ms, static_configs: [{ targets: ["${target}"] }] }]`;
  await writeFile(join(folder, "prometheus.yml"), config);
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    "--web.listen-address=127.0.0.1:0",
  ];
  const child = spawn("prometheus", args, { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  const ready = Promise.withResolvers<string>();
  lines.on("line", (line) => {
    const found = /Listening on" address=(127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (found !== undefined) ready.resolve(`http://${found}`);
  });
  return {
    url: await ready.promise,
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe.skipIf(!isInstalled("prometheus"))("servedByPrometheus()", () => {
  test("counts what a real Prometheus scraped, clients' own mistakes left out", async () => {
    await using folder = await temporaryFolder();
    const service = serve((_, index) => new Response(scraped(index), { headers: { "content-type": "text/plain" } }));
    const prometheus = await aPrometheus(folder.path, new URL(service.url).host);
    try {
      const served = await until("Prometheus to know requests", async () => {
        const found = await servedByPrometheus(prometheus.url, "digits", 30).catch(() => undefined);
        return found !== undefined && found.requests > 0 ? found : undefined;
      });
      expect(served.errors / served.requests).toBeCloseTo(2 / 102, 2);
      await expect(servedByPrometheus(prometheus.url, "letters", 30)).rejects.toThrow("knows no request of letters");
    } finally {
      await prometheus.stop();
      await service.stop();
    }
  }, 60_000);
});

test("servedByPrometheus() says who does not answer", async () => {
  const gone = serve(() => new Response());
  await gone.stop();
  await expect(servedByPrometheus(gone.url, "digits", 30)).rejects.toThrow(
    `Cannot read the error budget from ${gone.url}`,
  );
});

test.each([
  ["an error", new Response("no", { status: 503 }), "status is 503, expected 200"],
  ["another shape", Response.json({ status: "success", data: { resultType: "matrix", result: [] } }), "Invalid input"],
])("servedByPrometheus() refuses %s", async (_, answer, words) => {
  const server = serve(() => answer);
  await expect(servedByPrometheus(server.url, "digits", 30)).rejects.toThrow(words);
  await server.stop();
});
