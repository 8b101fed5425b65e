import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { prometheusRules } from "../../pipeline/src/decide/rules.ts";
import { SloPolicy } from "../../pipeline/src/spec/policy.ts";
import { readYaml } from "../../pipeline/src/spec/read.ts";
import { runTool } from "../../pipeline/src/stage/tool.ts";
import { isInstalled } from "../support/external.ts";
import { temporaryFolder } from "../support/folder.ts";

const policy: SloPolicy = {
  schema: "sluice/slo/v1",
  budgetDays: 30,
  models: { digits: { maxErrorRate: 0.001, latency: [{ quantile: 0.99, maxMs: 250 }] } },
};

test("prometheusRules() takes every threshold from the objectives", () => {
  const rules = prometheusRules(policy).groups.flatMap((group) => group.rules);
  const alerts = Object.fromEntries(rules.flatMap((rule) => ("alert" in rule ? [[rule.alert, rule.expr]] : [])));
  expect(Object.keys(alerts)).toEqual([
    "SluiceErrorBudgetBurn1h",
    "SluiceErrorBudgetBurn6h",
    "SluiceErrorBudgetBurn1d",
    "SluiceErrorBudgetBurn3d",
    "SluiceLatencyP99",
  ]);
  // 14.4, 6, 3 and 1 times the allowed rate, as the SRE workbook has it for 30 days.
  expect(alerts.SluiceErrorBudgetBurn1h).toContain("> 0.0144 and");
  expect(alerts.SluiceErrorBudgetBurn6h).toContain("> 0.006 and");
  expect(alerts.SluiceErrorBudgetBurn1d).toContain("> 0.003 and");
  expect(alerts.SluiceErrorBudgetBurn3d).toContain("> 0.001 and");
  expect(alerts.SluiceLatencyP99).toEndWith("> 0.25");
});

/** A minute's requests of the service as Prometheus scrapes them; `bad` of a hundred are answered with `code`. */
function series(code: string, bad: number) {
  const labels = `http_route="/v1/models/digits/predict"`;
  const count = (status: string, perMinute: number) => ({
    series: `http_server_request_duration_seconds_count{${labels},http_response_status_code="${status}"}`,
    values: `0+${perMinute}x240`,
  });
  return [count("200", 1000 - bad * 10), count(code, bad * 10)];
}

function buckets(slowPerMinute: number) {
  const bucket = (le: string, perMinute: number) => ({
    series: `http_server_request_duration_seconds_bucket{http_route="/v1/models/digits/predict",http_response_status_code="200",le="${le}"}`,
    values: `0+${perMinute}x240`,
  });
  return [
    bucket("0.05", 1000 - slowPerMinute),
    bucket("0.25", 1000 - slowPerMinute),
    bucket("1", 1000),
    bucket("+Inf", 1000),
  ];
}

describe.skipIf(!isInstalled("promtool"))("the rules in promtool", () => {
  async function firing(input: { series: string; values: string }[], alert: string, expected: object[]) {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "rules.yaml"), stringify(prometheusRules(policy)));
    const alerts = [{ eval_time: "2h", alertname: alert, exp_alerts: expected }];
    const tests = [{ interval: "1m", input_series: input, alert_rule_test: alerts }];
    const suite = join(folder.path, "test.yaml");
    await writeFile(suite, stringify({ rule_files: ["rules.yaml"], evaluation_interval: "1m", tests }));
    const run = await runTool("promtool", ["test", "rules", suite], { timeoutMs: 60_000 });
    return run.exitCode === 0 ? "as expected" : run.stdout + run.stderr;
  }

  const page = {
    exp_labels: { severity: "page", model: "digits" },
    exp_annotations: { summary: "digits spends 2 % of its error budget in 1h" },
  };
  const slow = {
    exp_labels: { severity: "ticket", model: "digits" },
    exp_annotations: { summary: "digits's p99 is above 250 ms" },
  };

  test.each([
    ["2 % of errors page", series("500", 2), "SluiceErrorBudgetBurn1h", [page]],
    ["1 % of errors does not page within the hour", series("500", 1), "SluiceErrorBudgetBurn1h", []],
    ["50 % of clients' own mistakes are nobody's alert", series("422", 50), "SluiceErrorBudgetBurn1h", []],
    ["2 % of slow answers raise a p99", buckets(20), "SluiceLatencyP99", [slow]],
    ["0.5 % of slow answers do not", buckets(5), "SluiceLatencyP99", []],
  ])("%s", async (_, input, alert, expected) => {
    expect(await firing(input, alert, expected)).toBe("as expected");
  });

  test("the shipped slo.yaml gives a rule file that Prometheus takes", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "rules.yaml");
    const shipped = await readYaml(join(import.meta.dir, "../../policies/slo.yaml"), SloPolicy);
    await writeFile(path, stringify(prometheusRules(shipped)));
    const run = await runTool("promtool", ["check", "rules", "--lint-fatal", path], { timeoutMs: 60_000 });
    expect(run.stdout + run.stderr).toContain("SUCCESS");
    expect(run.exitCode).toBe(0);
  });
});
