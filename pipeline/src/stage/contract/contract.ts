import { worst } from "../../decide/worst.ts";
import type { ConsumerExamples } from "../../spec/consumers.ts";
import { DeployError } from "../../spec/error.ts";
import type { Golden } from "../../spec/golden.ts";
import type { Manifest } from "../../spec/manifest.ts";
import type { Check, Report } from "../../spec/report.ts";
import { type Service, send, Unanswered } from "./ask.ts";
import { authProbes } from "./auth.ts";
import { type CompatibilityRules, compatibility } from "./compatibility.ts";
import { consumerProbes } from "./consumers.ts";
import { type Context, type HeldKey, type Probe, runProbe } from "./context.ts";
import { describedProbes } from "./described.ts";
import { errorProbes } from "./errors.ts";
import { healthProbes } from "./health.ts";
import { idempotencyProbes } from "./idempotency.ts";
import { limitProbes } from "./limits.ts";
import { methodProbes } from "./methods.ts";
import { mixedChecks } from "./mixed.ts";
import { Description } from "./openapi.ts";
import { propertyProbes } from "./property.ts";
import { replayProbes } from "./replay.ts";
import { type Restart, restartProbe } from "./restart.ts";

/** A running stable that takes the candidate's key, and what a breaking change against it would mean. */
export interface StableInput extends CompatibilityRules {
  url: string;
  manifest: Manifest;
}

/**
 * A running candidate, the model it should serve, and the keys to ask with: `key` has the scopes `predict` and `read`,
 * each of `otherKeys` says its own. `seed` pins the made-up requests; `examples` are what consumers recorded. With
 * `stable`, its clients must still understand the candidate; with `restart`, stored answers must outlive the service.
 */
export interface ContractInput extends Service {
  key: string;
  otherKeys?: HeldKey[];
  subject: string;
  manifest: Manifest;
  golden: Golden;
  seed?: number;
  examples?: ConsumerExamples[];
  stable?: StableInput;
  restart?: Restart;
}

const parts: ((context: Context, seed: number) => Probe[])[] = [
  healthProbes,
  describedProbes,
  replayProbes,
  errorProbes,
  limitProbes,
  idempotencyProbes,
  authProbes,
  methodProbes,
  propertyProbes,
];

const defaultSeed = 20_240_601;

/** Asks a running service everything that its clients rely on, over real HTTP, one named check each. */
export async function contract(input: ContractInput): Promise<Report> {
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const seed = input.seed ?? defaultSeed;
  const checks = await checksOf(input, seed);
  const passed = checks.filter((check) => check.verdict.kind === "pass").length;
  return {
    schema: "sluice/report/v1",
    stage: "contract",
    subject: input.subject,
    startedAt,
    durationMs: performance.now() - began,
    verdict: worst(checks),
    figure: `${passed} of ${checks.length} checks passed`,
    checks,
    facts: { seed, checks: checks.length, passed },
  };
}

async function checksOf(input: ContractInput, seed: number): Promise<Check[]> {
  const name = "the service describes itself at /openapi.json";
  try {
    const context = await openContext(input);
    const checks: Check[] = [{ name, verdict: { kind: "pass" } }];
    const probes = [...parts.flatMap((part) => part(context, seed)), ...consumerProbes(context, input.examples ?? [])];
    for (const probe of probes) checks.push(await runProbe(probe));
    if (input.restart !== undefined) checks.push(await runProbe(restartProbe(context, input.restart)));
    if (input.stable !== undefined) checks.push(...(await compare(input.stable, context)));
    return checks;
  } catch (error) {
    if (error instanceof Unanswered) {
      return [{ name, verdict: { kind: "error", reason: `Cannot check contract: ${error.message}` } }];
    }
    if (error instanceof DeployError) return [{ name, verdict: { kind: "fail", breaches: [error.message] } }];
    throw error;
  }
}

/** Stable that does not describe itself cannot be compared with: an error, for the candidate did nothing wrong. */
async function compare(stable: StableInput, context: Context): Promise<Check[]> {
  const { manifest, description } = context;
  try {
    const url = stable.url.replace(/\/$/, "");
    const openapi = await readOpenApi({ url }, context.key);
    const side = { openapi, manifest: stable.manifest };
    const checks = await compatibility(side, { openapi: description.text, manifest }, stable);
    return [...checks, ...(await mixedChecks(context, { url, openapi, version: stable.manifest.version }))];
  } catch (error) {
    if (!(error instanceof Unanswered || error instanceof DeployError)) throw error;
    const reason = `Cannot compare with stable: ${error.message}`;
    return [{ name: "the API breaks no client of stable", verdict: { kind: "error", reason } }];
  }
}

function serviceOf({ url, fetch }: Service): Service {
  return { url: url.replace(/\/$/, ""), ...(fetch === undefined ? {} : { fetch }) };
}

async function openContext(input: ContractInput): Promise<Context> {
  const { key, otherKeys = [], manifest, golden } = input;
  const service = serviceOf(input);
  const description = new Description(await readOpenApi(service, key), `${service.url}/openapi.json`);
  return { service, key, otherKeys, manifest, golden, description, predictPath: `/v1/models/${manifest.name}/predict` };
}

async function readOpenApi(service: Service, key: string): Promise<string> {
  const answer = await send(service, { method: "GET", path: "/openapi.json", key });
  if (answer.status === 200) return answer.text;
  throw new DeployError("E_GATE", `Cannot read /openapi.json: status is ${answer.status}, expected 200`);
}
