/** Why the router answered itself. */
export type RouterProblem = "no_revision" | "unknown_arm" | "revision_failed" | "revision_timed_out" | "method_refused";

const kinds: Record<RouterProblem, { status: number; title: string }> = {
  method_refused: { status: 501, title: "Not Implemented" },
  unknown_arm: { status: 404, title: "Unknown revision" },
  revision_failed: { status: 502, title: "Bad Gateway" },
  no_revision: { status: 503, title: "Service Unavailable" },
  revision_timed_out: { status: 504, title: "Gateway Timeout" },
};

/** An answer of the router's own, as RFC 9457 asks. */
export function problem(code: RouterProblem, detail: string): Response {
  const { status, title } = kinds[code];
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (status === 503) headers["retry-after"] = "1";
  return new Response(JSON.stringify({ type: "about:blank", title, status, detail, code }), { status, headers });
}
