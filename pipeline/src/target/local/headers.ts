/** Headers of one connection, not of the message (RFC 9110, 7.6.1), and those that frame a body: the next hop makes its own. */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Asks for one revision by id, past the draw; for testers. */
export const armHeader = "x-sluice-arm";
/** Tells which revision answered. */
const revisionHeader = "x-sluice-revision";

/** The headers that a revision sees. `peer` is the client's address. */
export function forwardedHeaders(request: Request, peer: string): Headers {
  const headers = new Headers(request.headers);
  dropHopByHop(headers);
  headers.delete(armHeader);
  headers.delete("content-length");
  headers.delete("expect"); // answered already
  const path = headers.get("x-forwarded-for");
  headers.set("x-forwarded-for", path === null ? peer : `${path}, ${peer}`);
  if (!headers.has("x-forwarded-proto")) headers.set("x-forwarded-proto", "http");
  const host = headers.get("host");
  if (host !== null && !headers.has("x-forwarded-host")) headers.set("x-forwarded-host", host);
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity"); // else fetch asks for compression itself
  return headers;
}

/** The headers that the client sees of what revision `id` answered. */
export function answeredHeaders(response: Response, id: string): Headers {
  const headers = new Headers(response.headers);
  dropHopByHop(headers);
  if (!headers.has(revisionHeader)) headers.set(revisionHeader, id);
  return headers;
}

function dropHopByHop(headers: Headers): void {
  const named = headers.get("connection");
  if (named !== null) {
    for (const name of named.split(",").map((part) => part.trim())) {
      if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name)) headers.delete(name);
    }
  }
  for (const name of hopByHop) headers.delete(name);
}
