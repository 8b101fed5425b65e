import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { grafanaDashboard } from "../../pipeline/src/decide/dashboard.ts";
import { prometheusRules } from "../../pipeline/src/decide/rules.ts";
import { SloPolicy } from "../../pipeline/src/spec/policy.ts";
import { readYaml } from "../../pipeline/src/spec/read.ts";
import { seconds } from "../../service/src/telemetry.ts";
import { isInstalled } from "../support/external.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { patience, root } from "../support/service-app.ts";
import { featuresOf, wild, wildModel } from "../support/service-model.ts";
import { runtimes, type ServiceProcess, startProcess } from "../support/service-process.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(patience);

const policy: SloPolicy = {
  schema: "sluice/slo/v1",
  budgetDays: 30,
  models: { tabular: { maxErrorRate: 0.001, latency: [{ quantile: 0.99, maxMs: 250 }] } },
};
const Vector = z.object({
  resultType: z.literal("vector"),
  result: z.array(z.looseObject({ metric: z.record(z.string(), z.string()) })),
});
const Groups = z.object({ groups: z.array(z.object({ rules: z.array(z.looseObject({ health: z.string() })) })) });

async function predict({ url, key }: ServiceProcess, first: number): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = JSON.stringify(featuresOf(first));
  return (await fetch(`${url}/v1/models/tabular/predict`, { method: "POST", body, headers })).status;
}

/** The series that a query gives now. */
async function series(prometheus: Prometheus, query: string): Promise<Record<string, string>[]> {
  return Vector.parse(await prometheus.ask("/api/v1/query", { query })).result.map(({ metric }) => metric);
}

/** Every query of the dashboard as Grafana sends it when all is chosen. */
function queriesOf(slo: SloPolicy): string[] {
  const { panels } = grafanaDashboard(slo);
  const exprs = panels.flatMap((panel) => (panel.type === "row" ? [] : panel.targets.map(({ expr }) => expr)));
  return exprs.map((expr) => expr.replaceAll("$__rate_interval", "1m").replace(/"\$(release|model|route)"/g, '".*"'));
}

describe.skipIf(!isInstalled("prometheus"))("a real Prometheus", () => {
  test("scrapes the service, loads its rules, and has an answer to every query of the dashboard", async () => {
    const [bun] = runtimes;
    if (bun === undefined) throw new Error("There is no runtime");
    await using model = await wildModel();
    await using folder = await temporaryFolder();
    await using service = await startProcess(bun, { dirs: [model.dir], env: { SLUICE_REVISION: "r-1" } });
    const target = new URL(service.url).host;
    const options = { key: service.key, rules: prometheusRules(policy) };
    await using prometheus = await startPrometheus(folder.path, target, options);

    for (const query of queriesOf(policy)) {
      await until(`an answer to ${query}`, async () => {
        expect(await predict(service, 1)).toBe(200);
        expect(await predict(service, wild.fail)).toBe(500); // the error ratio wants an error
        return (await series(prometheus, query)).length > 0 ? true : undefined;
      });
    }
    const { groups } = Groups.parse(await prometheus.ask("/api/v1/rules"));
    const health = groups.flatMap(({ rules }) => rules.map((rule) => rule.health));
    expect(health.length).toBe(prometheusRules(policy).groups.flatMap(({ rules }) => rules).length);
    expect(new Set(health)).toEqual(new Set(["ok"]));
    const [one] = await series(prometheus, `http_server_request_duration_seconds_count{model_name="tabular"}`);
    expect(one).toMatchObject({ model_version: "1.0.0", sluice_release: "none", sluice_revision: "r-1" });
  });
});

test("grafanaDashboard() places its panels without overlap, and draws the limits of slo.yaml", () => {
  const { panels } = grafanaDashboard(policy);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const text = JSON.stringify(panels);
  for (const limit of ["0.25", "0.001"]) expect(text).toContain(`{"color":"red","value":${limit}}`);
});

test("every latency limit of the shipped slo.yaml is a bound of the service's histograms", async () => {
  const { models } = await readYaml(join(root, "policies", "slo.yaml"), SloPolicy);
  const limits = Object.values(models).flatMap(({ latency }) => latency.map(({ maxMs }) => maxMs / 1000));
  for (const limit of limits) expect(seconds).toContain(limit);
});
