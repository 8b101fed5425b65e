// A stand-in for k6, as a program of its own: it gives the script the few modules that it imports, sends one request
// after another over real HTTP, evaluates the thresholds, and exits as k6 does. It proves the script's and the parser's
// logic and nothing about k6, which is not run here.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { K6Options, K6Plan } from "../../pipeline/src/spec/k6.ts";

const Answer = z.strictObject({ status: z.number(), body: z.string().nullable(), ms: z.number() });
type Answer = z.infer<typeof Answer>;

const answers: Answer[] = [];
const checks = { passes: 0, fails: 0 };
const scenario = { iterationInTest: 0 };
let accepted = { min: 200, max: 399 };

const sender = `
const { url, body, headers } = JSON.parse(process.argv[1]);
const began = performance.now();
const answer = await fetch(url, { method: "POST", body, headers, redirect: "manual" }).catch(() => undefined);
const text = await answer?.text();
console.log(JSON.stringify({ status: answer?.status ?? 0, body: text || null, ms: performance.now() - began }));`;

const modules = {
  k6: {
    check(value: unknown, sets: Record<string, (value: unknown) => boolean>) {
      for (const holds of Object.values(sets)) checks[holds(value) ? "passes" : "fails"]++;
    },
  },
  "k6/execution": { default: { scenario } },
  "k6/http": {
    default: {
      expectedStatuses: (range: typeof accepted) => range,
      setResponseCallback: (range: typeof accepted) => {
        accepted = range;
      },
      post(url: string, body: string, { headers }: { headers: Record<string, string> }): Answer {
        const args = ["-e", sender, JSON.stringify({ url, body, headers })];
        const answer = Answer.parse(JSON.parse(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout));
        answers.push(answer);
        return answer;
      },
    },
  },
};

const Script = z.object({
  default: z.custom<() => void>((value) => typeof value === "function"),
  handleSummary: z.custom<(data: { metrics: Metrics }) => Record<string, string>>(
    (value) => typeof value === "function",
  ),
  options: K6Options,
});

type Metrics = Record<string, { values: Record<string, number>; thresholds: Record<string, { ok: boolean }> }>;

function metricsOf(plan: K6Plan): Metrics {
  const good = answers.filter(({ status }) => status >= accepted.min && status <= accepted.max);
  const times = good.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (quantile: number) => times[Math.max(0, Math.ceil(times.length * quantile) - 1)] ?? 0;
  const { requests, failed, dropped, duration } = plan.metrics;
  const values: Record<string, Record<string, number>> = {
    [requests]: { count: answers.length },
    [failed]: { rate: 1 - good.length / Math.max(1, answers.length) },
    [plan.metrics.checks]: { ...checks, rate: checks.passes / Math.max(1, checks.passes + checks.fails) },
    [dropped]: { count: Number(process.env.K6_DROPPED ?? 0) },
    [duration]: Object.fromEntries(plan.quantiles.map(({ stat, quantile }) => [stat, at(quantile)])),
  };
  return Object.fromEntries(
    Object.entries(values).map(([metric, known]) => {
      const expressions = plan.options.thresholds[metric] ?? [];
      return [
        metric,
        { values: known, thresholds: Object.fromEntries(expressions.map((one) => [one, { ok: holds(one, known) }])) },
      ];
    }),
  );
}

function holds(expression: string, values: Record<string, number>): boolean {
  const [, name = "", operator, limit] = /^(.+?)(<=|>=|==)(.+)$/.exec(expression) ?? [];
  const value = values[name] ?? Number.NaN;
  if (operator === "<=") return value <= Number(limit);
  return operator === ">=" ? value >= Number(limit) : value === Number(limit);
}

Bun.plugin({
  name: "k6",
  setup(build) {
    for (const [name, exports] of Object.entries(modules)) build.module(name, () => ({ exports, loader: "object" }));
  },
});

const args = process.argv.slice(2);
const pairs = args.filter((_, i) => args[i - 1] === "--env").map((pair) => pair.split(/=(.*)/s));
const env: Record<string, string> = Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
if (process.env.K6_CRASH !== undefined) process.exit(Number(process.env.K6_CRASH));
Object.assign(globalThis, { __ENV: env, open: (path: string) => readFileSync(path, "utf8") });
const script = Script.parse(await import(args.at(-1) ?? ""));
const plan = K6Plan.parse(JSON.parse(readFileSync(env.SLUICE_PLAN ?? "", "utf8")));
const { measured } = script.options.scenarios;
const arrivals =
  measured?.executor === "constant-arrival-rate" ? measured.rate * Number.parseFloat(measured.duration) : 0;
for (; scenario.iterationInTest < arrivals; scenario.iterationInTest++) script.default();
const metrics = metricsOf(plan);
for (const [path, text] of Object.entries(script.handleSummary({ metrics }))) writeFileSync(path, text);
const ok = Object.values(metrics).every(({ thresholds }) => Object.values(thresholds).every((one) => one.ok));
process.exit(ok ? 0 : 99);
