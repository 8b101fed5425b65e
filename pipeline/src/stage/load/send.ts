import type { LoadRequest } from "./request.ts";

/** A service's address, without a trailing slash, and a key with the scope `predict`. */
export interface Target {
  url: string;
  key: string;
}

/**
 * Sends one request and reads its whole answer. Returns what went wrong in a stable word or two
 * (`status 503`, `timeout`, `connection`, `empty`), or undefined for a 2xx with a body.
 */
export async function send(target: Target, request: LoadRequest, timeoutMs: number): Promise<string | undefined> {
  try {
    const response = await fetch(target.url + request.path, {
      method: "POST",
      headers: { "content-type": request.contentType, authorization: `Bearer ${target.key}` },
      body: request.body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await response.arrayBuffer();
    if (!response.ok) return `status ${response.status}`;
    return body.byteLength === 0 ? "empty" : undefined;
  } catch (error) {
    return error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "connection";
  }
}
