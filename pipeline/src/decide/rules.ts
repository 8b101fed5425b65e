import type { Slo, SloPolicy } from "../spec/policy.ts";
import { quantileName } from "./quantile.ts";

/** One rule as Prometheus reads it. */
export type Rule =
  | { record: string; expr: string; labels: Record<string, string> }
  | { alert: string; expr: string; for?: string; labels: Record<string, string>; annotations: Record<string, string> };

/** A rule file as Prometheus reads it. */
export interface RuleFile {
  groups: { name: string; rules: Rule[] }[];
}

/**
 * How fast the budget may be spent before somebody is told (the SRE workbook's four): `share` of it within `long`. The
 * short window ends the alert soon after the errors end.
 */
const burns = [
  { share: 0.02, long: "1h", hours: 1, short: "5m", severity: "page" },
  { share: 0.05, long: "6h", hours: 6, short: "30m", severity: "page" },
  { share: 0.1, long: "1d", hours: 24, short: "2h", severity: "ticket" },
  { share: 0.1, long: "3d", hours: 72, short: "6h", severity: "ticket" },
] as const;

const windows = [...new Set(burns.flatMap(({ long, short }) => [short, long]))];
const metric = "http_server_request_duration_seconds";

/** Recording and alert rules for every model of `slo.yaml`; latency comes from the service's own histogram. */
export function prometheusRules({ models, budgetDays }: SloPolicy): RuleFile {
  return {
    groups: Object.entries(models).map(([model, slo]) => ({
      name: `sluice-${model}`,
      rules: [
        ...windows.map((window) => recordErrors(model, window)),
        ...burns.map((burn) => alertBurn(model, slo, { ...burn, factor: (burn.share * budgetDays * 24) / burn.hours })),
        ...slo.latency.map((limit) => alertLatency(model, limit)),
      ],
    })),
  };
}

/** The recording rule's name of the share of failed requests in a window. */
export function errorRatio(window: string): string {
  return `sluice:error_ratio:rate${window}`;
}

/** The share of failed requests in a window, as PromQL; 4xx say nothing about the service. */
function errorRatioOf(model: string, window: string): string {
  return `${rateOf(model, "5..", "=~", window)} / ${rateOf(model, "4..", "!~", window)}`;
}

/** Counts over the budget's days, as PromQL: failed requests and all that speak about the service. */
export function budgetQueries(model: string, budgetDays: number): { requests: string; errors: string } {
  const of = (code: string, operator: string) =>
    `sum(increase(${metric}_count{${selector(model)},http_response_status_code${operator}"${code}"}[${budgetDays}d]))`;
  return { requests: of("4..", "!~"), errors: of("5..", "=~") };
}

function recordErrors(model: string, window: string): Rule {
  return { record: errorRatio(window), expr: errorRatioOf(model, window), labels: { model } };
}

type Burn = (typeof burns)[number] & { factor: number };

function alertBurn(model: string, { maxErrorRate }: Slo, { factor, long, short, severity, share }: Burn): Rule {
  const limit = Number((factor * maxErrorRate).toPrecision(6));
  const over = (window: string) => `${errorRatio(window)}{model="${model}"} > ${limit}`;
  return {
    alert: `SluiceErrorBudgetBurn${long}`,
    expr: `${over(long)} and ${over(short)}`,
    labels: { severity, model },
    annotations: { summary: `${model} spends ${share * 100} % of its error budget in ${long}` },
  };
}

function alertLatency(model: string, { quantile, maxMs }: Slo["latency"][number]): Rule {
  const rate = `sum by (le) (rate(${metric}_bucket{${selector(model)},http_response_status_code=~"2.."}[5m]))`;
  const name = quantileName(quantile);
  return {
    alert: `SluiceLatency${name.replace(".", "_").toUpperCase()}`,
    expr: `histogram_quantile(${quantile}, ${rate}) > ${maxMs / 1000}`,
    for: "10m",
    labels: { severity: "ticket", model },
    annotations: { summary: `${model}'s ${name} is above ${maxMs} ms` },
  };
}

function rateOf(model: string, code: string, operator: string, window: string): string {
  return `sum(rate(${metric}_count{${selector(model)},http_response_status_code${operator}"${code}"}[${window}]))`;
}

/** Both protocols' routes of the model, every version of it. */
function selector(model: string): string {
  return `http_route=~"/v[12]/models/${model}/.*"`;
}
