import { Problem } from "./problem.ts";

/** What a body may cost: its size, and the time until all of it is there. */
export type BodyLimits = { maxBodyBytes: number; bodyMs: number };

/** Reads a request's body, declared or streamed. Throws a `Problem` when it is too large, too slow or empty. */
export async function readBody(
  request: Request,
  { maxBodyBytes: maxBytes, bodyMs }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    throw new Problem("encoding-unsupported", "Cannot read the body: expected no content encoding", {
      headers: { "accept-encoding": "identity" },
    });
  }
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge(maxBytes);
  const reading = declared === null ? readStream(request, maxBytes) : readDeclared(request);
  const bytes = await within(bodyMs, reading);
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  if (bytes.byteLength === 0) throw new Problem("body-empty", "Cannot read the body: it is empty");
  return bytes;
}

async function readDeclared(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await request.arrayBuffer());
}

/** Waits for a body that a slow client sends, and no longer than `bodyMs`. */
function within<T>(bodyMs: number, reading: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new Problem("body-too-slow", `Cannot read the body: it was not complete after ${bodyMs} ms`));
    const timer = setTimeout(late, bodyMs);
    reading.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function readStream(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("body-too-large", `Cannot read the body: it is larger than ${maxBytes} bytes`);
}

/** The media type without its parameters, in lower case. Throws a `Problem` unless it is one of `accepted`. */
export function contentTypeOf(request: Request, accepted: readonly string[]): string {
  const header = request.headers.get("content-type");
  const wanted = accepted.join(" or ");
  if (header === null || header.trim() === "") {
    throw new Problem("content-type-missing", `Cannot read the body: it has no content type, expected ${wanted}`);
  }
  const semicolon = header.indexOf(";");
  const type = (semicolon === -1 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  if (!accepted.includes(type)) {
    throw new Problem("content-type-unsupported", `Cannot read the body: expected content type ${wanted}`, {
      headers: { "accept-post": accepted.join(", ") },
    });
  }
  return type;
}
