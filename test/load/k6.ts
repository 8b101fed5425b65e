// The load test that k6 runs: `sluice load --driver k6` writes the plan and reads the summary.
// It imports k6's own modules and types only, so k6 (>= 1.0) takes it as it is.
import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import type { K6Plan, K6Summary } from "../../pipeline/src/spec/k6.ts";

const plan: K6Plan = JSON.parse(open(setting("SLUICE_PLAN")));
const key = open(setting("SLUICE_KEY_FILE")).trim();

export const options = plan.options;

// A redirect is no answer: only 2xx counts.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }));

/** One arrival: the next request of the plan. */
export default function send(): void {
  const request = plan.requests[exec.scenario.iterationInTest % plan.requests.length];
  if (request === undefined) throw new Error("Cannot send: the plan has no request");
  const answer = http.post(plan.url + request.path, request.body, {
    headers: { "content-type": request.contentType, authorization: `Bearer ${key}` },
    tags: { name: request.path },
    redirects: 0,
    timeout: plan.timeout,
  });
  check(answer, {
    "answer is 2xx with a body": ({ status, body }) =>
      status >= 200 && status < 300 && typeof body === "string" && body.length > 0,
  });
}

interface Metric {
  values: Record<string, number>;
  thresholds?: Record<string, { ok: boolean }>;
}

/** Writes what `pipeline/src/spec/k6.ts` reads; k6's own text goes to the terminal no more. */
export function handleSummary(data: { metrics: Record<string, Metric> }): Record<string, string> {
  const { requests, checks, dropped, duration } = plan.metrics;
  const value = (metric: string, name: string) => data.metrics[metric]?.values[name] ?? 0;
  const summary: K6Summary = {
    schema: "sluice/k6-summary/v1",
    requests: value(requests, "count"),
    errors: value(requests, "count") - value(checks, "passes"),
    dropped: value(dropped, "count"),
    quantiles: plan.quantiles.map(({ quantile, stat }) => ({ quantile, ms: value(duration, stat) })),
    thresholds: Object.entries(data.metrics).flatMap(([metric, { thresholds = {} }]) =>
      Object.entries(thresholds).map(([expression, { ok }]) => ({ metric, expression, ok })),
    ),
  };
  return { [setting("SLUICE_SUMMARY")]: JSON.stringify(summary) };
}

function setting(name: string): string {
  const value = __ENV[name];
  if (value === undefined || value === "") throw new Error(`Cannot run the load test: ${name} is not set`);
  return value;
}
