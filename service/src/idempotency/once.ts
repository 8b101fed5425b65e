import { createHash } from "node:crypto";
import type { Ctx } from "../env.ts";
import { Problem } from "../problem.ts";
import type { IdempotencyStore } from "./store.ts";

export type Idempotency = { store: IdempotencyStore; ttlMs: number; claimMs: number; maxBytes: number };

const shape = /^(?:"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x2b\x2d-\x7e]{1,255}))$/;
const kept = ["inference-header-content-length"];

/**
 * Answers a request once for each `Idempotency-Key` of a principal, method and path, as the IETF's draft has it. The
 * same key gives the stored answer, marked; 409 while the first one runs; 422 with another body. Only successes are kept.
 */
export async function answerOnce(
  c: Ctx,
  { store, ttlMs, claimMs, maxBytes }: Idempotency,
  request: { body: Uint8Array; now: () => number },
  answer: () => Promise<Response>,
): Promise<Response> {
  const header = c.req.raw.headers.get("idempotency-key");
  if (header === null) return await answer();
  const match = shape.exec(header);
  const given = match?.[1] ?? match?.[2];
  if (given === undefined) {
    throw new Problem(
      "idempotency-key-invalid",
      "Cannot use the Idempotency-Key: expected 1 to 255 visible characters",
    );
  }
  const key = digestOf([c.get("principal").id, c.req.method, c.req.path, given]);
  const fingerprint = digestOf([c.req.raw.headers.get("content-type") ?? "", request.body]);
  const now = request.now();
  const begin = store.begin(key, fingerprint, { now, claimEndsAt: now + claimMs });
  if (begin.state !== "begun" && begin.fingerprint !== fingerprint) {
    throw new Problem("idempotency-key-reused", "Cannot use the Idempotency-Key: it was sent with another body before");
  }
  if (begin.state === "running") {
    const options = { headers: { "retry-after": "1" } };
    throw new Problem("idempotency-in-flight", "Cannot answer yet: a request with this Idempotency-Key runs", options);
  }
  if (begin.state === "done") {
    const { status, contentType, headers, body } = begin.answer;
    return new Response(body, {
      status,
      headers: { ...headers, "content-type": contentType, "idempotency-replayed": "true" },
    });
  }
  let isKept = false;
  try {
    const response = await answer();
    const body = new Uint8Array(await response.clone().arrayBuffer());
    if (response.ok && body.byteLength <= maxBytes) {
      const contentType = response.headers.get("content-type") ?? "";
      const headers = Object.fromEntries(kept.flatMap((name) => pairOf(response.headers, name)));
      store.finish(key, { status: response.status, contentType, headers, body }, request.now() + ttlMs);
      isKept = true;
    }
    return response;
  } finally {
    if (!isKept) store.release(key);
  }
}

function pairOf(headers: Headers, name: string): [string, string][] {
  const value = headers.get(name);
  return value === null ? [] : [[name, value]];
}

/** Parts are told apart by their lengths. */
function digestOf(parts: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
