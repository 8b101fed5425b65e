import { describe, expect, test } from "bun:test";
import { servedByPrometheus } from "../../../pipeline/src/stage/budget/prometheus.ts";
import { isInstalled } from "../../support/external.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { startPrometheus } from "../../support/prometheus.ts";
import { serve } from "../../support/server.ts";
import { until } from "../../support/until.ts";

/** Metrics as the service has them; each scrape finds 100 more good answers, 2 more failed ones, 9 more 4xx. */
function scraped(index: number): string {
  const line = (code: string, count: number) =>
    `http_server_request_duration_seconds_count{http_route="/v1/models/digits/predict",http_response_status_code="${code}"} ${count}\n`;
  return line("200", index * 100) + line("500", index * 2) + line("422", index * 9);
}

describe.skipIf(!isInstalled("prometheus"))("servedByPrometheus()", () => {
  test("counts what a real Prometheus scraped, clients' own mistakes left out", async () => {
    await using folder = await temporaryFolder();
    const service = serve((_, index) => new Response(scraped(index), { headers: { "content-type": "text/plain" } }));
    await using prometheus = await startPrometheus(folder.path, new URL(service.url).host);
    try {
      const served = await until("Prometheus to know requests", async () => {
        const found = await servedByPrometheus(prometheus.url, "digits", 30).catch(() => undefined);
        return found !== undefined && found.requests > 0 ? found : undefined;
      });
      expect(served.errors / served.requests).toBeCloseTo(2 / 102, 2);
      await expect(servedByPrometheus(prometheus.url, "letters", 30)).rejects.toThrow("knows no request of letters");
    } finally {
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
