import { z } from "zod";
import { armHeaders } from "../spec/address.ts";
import { DeployError } from "../spec/error.ts";
import type { Json } from "../spec/golden.ts";
import { parseJson } from "../spec/read.ts";

const Answer = z.object({ output: z.json() });

/** A running service and the model to ask; a fragment of `address` names one revision behind a router. `timeoutMs` is for one request. */
export interface Asked {
  address: string;
  key: string;
  model: string;
  timeoutMs: number;
}

/** Asks the model once: its output, or the status when that is not 200. Throws `E_TOOL` when there is no answer. */
export async function predict(
  { address, key, model, timeoutMs }: Asked,
  request: Json,
): Promise<{ output: Json } | { status: number }> {
  const url = new URL(`/v1/models/${model}/predict`, address);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...armHeaders(address) },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    return response.status === 200 ? parseJson(text, Answer, url.href) : { status: response.status };
  } catch (cause) {
    if (cause instanceof DeployError) throw cause;
    throw new DeployError("E_TOOL", `Cannot ask ${url}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
