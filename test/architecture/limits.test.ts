// policies/slo.yaml is the only place for a limit on latency or errors. Whoever writes one elsewhere meets this test.
import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

const limits = [
  // maxErrorRate: 0.01, maxP99Ms = 250, maxMs: 60, maxSlowdown: 1.2
  /\bmax(?:ErrorRate|(?:P\d+|Latency|Response\w*|Service\w*)?Ms|Latency\w*|Slowdown)\b["']?\s*[:=]\s*["']?[\d.]/i,
  // errorRate > 0.01, p99 >= 250, latencyMs < 100
  /\b(?:error_?rate|errorRatio|p(?:50|75|9\d(?:_?\d)*)(?:Ms)?|latency(?:Ms)?)\b\s*[<>]=?\s*[\d.]/i,
  // k6: "p(99)<250", "rate<0.01"
  /["'`](?:p\(\d[\d.]*\)|rate|avg|med)\s*[<>]=?\s*[\d.]/,
  // Prometheus: histogram_quantile(…) > 0.25
  /histogram_quantile\(.*\)\s*[<>]=?\s*[\d.]/,
];

function limitIn(line: string): boolean {
  return limits.some((limit) => limit.test(line));
}

test.each([
  ["    maxErrorRate: 0.001", true],
  ["      - { quantile: 0.99, maxMs: 250 }", true],
  ["const slo = { maxP99Ms: 250 };", true],
  ['{ "maxLatencyMs": 250 }', true],
  ["if (!(window.p99 <= 250)) fail();", true],
  ["if (errorRate > 0.01) abort();", true],
  ['thresholds: { http_req_duration: ["p(99)<250"] },', true],
  ['http_req_failed: ["rate<=0.01"],', true],
  ["expr: histogram_quantile(0.99, sum by (le) (rate(x[5m]))) > 0.25", true],
  ["if (!(found <= limit.maxMs)) fail();", false],
  ["  return rate <= slo.maxErrorRate;", false],
  ["    timeoutMs: 10000", false],
  ["    maxLagMs: 20", false],
])("limitIn() of %p is %p", (line, found) => {
  expect(limitIn(line)).toBe(found);
});

test("no file but policies/slo.yaml states a limit on latency or errors", async () => {
  const { stdout } = Bun.spawnSync(
    ["git", "ls-files", "bin", "pipeline", "service", "policies", "scripts", "test/load"],
    { cwd: root },
  );
  const files = stdout
    .toString()
    .trim()
    .split("\n")
    .filter((path) => /\.(?:ts|mjs|js|ya?ml|json|sh|py)$/.test(path));
  expect(files).toContain("policies/slo.yaml");
  expect(files.length).toBeGreaterThan(100);
  const found: string[] = [];
  for (const path of files) {
    const text = await readFile(join(root, path), "utf8").catch(() => "");
    for (const [i, line] of text.split("\n").entries())
      if (limitIn(line)) found.push(`${path}:${i + 1}: ${line.trim()}`);
  }
  expect(found.filter((one) => !one.startsWith("policies/slo.yaml:"))).toEqual([]);
  expect(found.length).toBeGreaterThan(0);
});
