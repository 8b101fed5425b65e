/** One request. `key` is a bearer key; `headers` may carry an `authorization` of its own instead. */
export interface Ask {
  method: string;
  path: string;
  headers?: Record<string, string>;
  key?: string;
  body?: string | Uint8Array<ArrayBuffer>;
  /** Sends the body in chunks, without a content length. */
  chunked?: boolean;
}

/** What came back; the body's text is read whole. */
export interface Answer {
  ask: Ask;
  status: number;
  headers: Headers;
  text: string;
}

/** How to reach a service: over HTTP, or the `fetch` of an application in this process. */
export interface Service {
  url: string;
  fetch?: (request: Request) => Promise<Response> | Response;
}

const timeoutMs = 15_000;

/** The service refused the connection, reset it, or was silent for 15 s. */
export class Unanswered extends Error {}

/** Sends one request and reads the answer; redirects are not followed. Throws `Unanswered`. */
export async function send(service: Service, ask: Ask, signal?: AbortSignal): Promise<Answer> {
  const headers = new Headers(ask.headers);
  if (ask.key !== undefined) headers.set("authorization", `Bearer ${ask.key}`);
  const timeout = AbortSignal.timeout(timeoutMs);
  const request = new Request(service.url + ask.path, {
    method: ask.method,
    headers,
    body: ask.body === undefined ? null : ask.chunked ? streamOf(ask.body) : ask.body,
    redirect: "manual",
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
  });
  // A string body gets a content type by itself: the contract is also about requests without one.
  if (typeof ask.body === "string" && ask.headers?.["content-type"] === undefined)
    request.headers.delete("content-type");
  try {
    const response = await (service.fetch ?? fetch)(request);
    return { ask, status: response.status, headers: response.headers, text: await response.text() };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Unanswered(`no answer to ${ask.method} ${ask.path}: ${reason}`, { cause });
  }
}

function streamOf(body: string | Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const half = bytes.byteLength >> 1;
  return new ReadableStream({
    start(controller) {
      if (half > 0) controller.enqueue(bytes.subarray(0, half));
      controller.enqueue(bytes.subarray(half));
      controller.close();
    },
  });
}

const longestBody = 2000;

/** The request as a line for a shell; the key is named, never shown. */
export function toCurl(url: string, { method, path, headers = {}, key, body }: Ask): string {
  const words = ["curl", "-i", method === "HEAD" ? "--head" : `-X ${method}`];
  if (key !== undefined) words.push('-H "authorization: Bearer $SLUICE_KEY"');
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== "authorization") words.push(`-H ${quote(`${name}: ${value}`)}`);
    else words.push("-H 'authorization: <redacted>'");
  }
  if (body === undefined) return [...words, quote(url + path)].join(" ");
  if (typeof body === "string" && body.length <= longestBody) {
    return [...words, `--data-binary ${quote(body)}`, quote(url + path)].join(" ");
  }
  if (body.length > longestBody)
    return [...words, `--data-binary @<${body.length} bytes>`, quote(url + path)].join(" ");
  const base64 = Buffer.from(body).toString("base64");
  return [`echo ${base64} | base64 -d |`, ...words, "--data-binary @-", quote(url + path)].join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
