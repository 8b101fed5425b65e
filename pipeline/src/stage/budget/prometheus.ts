import { z } from "zod";
import type { Served } from "../../decide/budget.ts";
import { budgetQueries } from "../../decide/rules.ts";
import { DeployError } from "../../spec/error.ts";
import { parseJson } from "../../spec/read.ts";

/** The answer to an instant query: one value, or none when no such series is there. */
const Answer = z.object({
  status: z.literal("success"),
  data: z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })).max(1),
  }),
});

const timeoutMs = 30_000;

/**
 * Asks Prometheus at `url` what `model` served in the budget's days. Throws `E_TOOL` when it does not answer, or knows
 * no request at all: a wrong address must not look like an untouched budget.
 */
export async function servedByPrometheus(url: string, model: string, budgetDays: number): Promise<Served> {
  const queries = budgetQueries(model, budgetDays);
  const requests = await ask(url, queries.requests);
  if (requests === undefined) {
    throw new DeployError(
      "E_TOOL",
      `Cannot read the error budget: ${url} knows no request of ${model}; next: scrape it`,
    );
  }
  // No failed request yet: Prometheus has no such series.
  const errors = (await ask(url, queries.errors)) ?? 0;
  return { requests: Math.round(requests), errors: Math.round(errors) };
}

async function ask(url: string, query: string): Promise<number | undefined> {
  const address = new URL("/api/v1/query", url);
  address.searchParams.set("query", query);
  let text: string;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(timeoutMs) });
    text = await response.text();
    if (!response.ok) throw new Error(`status is ${response.status}, expected 200`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeployError("E_TOOL", `Cannot read the error budget from ${address.origin}: ${reason}`, { cause });
  }
  const { result } = parseJson(text, Answer, `${address.origin}/api/v1/query`).data;
  const value = result[0]?.value[1];
  return value === undefined ? undefined : Number(value);
}
