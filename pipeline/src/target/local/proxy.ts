import type { Arms } from "./arms.ts";
import { exchange, type Outcome } from "./exchange.ts";
import { armHeader, forwardedHeaders } from "./headers.ts";
import type { Meter } from "./meter.ts";
import { noteEnding } from "./outlier.ts";
import { problem } from "./problem.ts";
import { stickyKey } from "./sticky.ts";
import { enter, leave, takesRequests, type Upstream } from "./upstream.ts";

/**
 * What the router needs. `random` gives 0 <= x < 1. An answer must begin within `timeoutMs`; while no revision takes
 * requests, one waits for `holdMs`.
 */
export type ProxyDeps = { arms: Arms; meter: Meter; random: () => number; timeoutMs: number; holdMs: number };

/** A client's request on its way. */
type Passage = { request: Request; peer: string; body: BodyInit | null; counted: boolean };

/** Bodies up to this size are taken whole, so that a refused request can be sent elsewhere. */
const wholeBodyBytes = 1024 * 1024;
const refusedMethods = new Set(["CONNECT", "TRACE"]);
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

export type Forward = (request: Request, peer: string) => Promise<Response>;

/** The router's data path: draws a revision, sends the request there, counts and hands on what comes back. */
export function createProxy(deps: ProxyDeps): Forward {
  return async (request, peer) => {
    if (refusedMethods.has(request.method)) return problem("method_refused", `Cannot route ${request.method} requests`);
    const asked = request.headers.get(armHeader);
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return answerOf({ kind: "cancelled" });
    const passage = { request, peer, body, counted: asked === null };
    if (asked !== null) return toAskedArm(deps, passage, asked);
    const key = stickyKey(request.headers);
    const drawn = key === undefined ? deps.arms.draw(deps.random()) : deps.arms.drawFor(key);
    if (drawn === undefined) return problem("no_revision", "Cannot route the request: no revision has weight");
    return toDrawnArm(deps, passage, drawn);
  };
}

/** Testers' way: this revision or none, and no part of the statistics. */
async function toAskedArm(deps: ProxyDeps, passage: Passage, asked: string): Promise<Response> {
  const upstream = deps.arms.find(asked);
  if (upstream === undefined)
    return problem("unknown_arm", `Cannot route the request: no revision has the id in ${armHeader}`);
  const { base } = upstream;
  return answerOf(
    base === undefined ? { kind: "refused" } : await send(deps, passage, upstream, { base, isDrawn: true }),
  );
}

/**
 * The drawn revision, and when it could not be reached, another one, or itself once it is back. The request is counted
 * once, as the drawn one's error: arms differ by the draw alone, whoever stands in for one that is away.
 */
async function toDrawnArm(deps: ProxyDeps, passage: Passage, drawn: Upstream): Promise<Response> {
  const { base, generation } = drawn;
  const wasTried = base !== undefined && takesRequests(drawn);
  const outcome = wasTried ? await send(deps, passage, drawn, { base, isDrawn: true }) : passOver(deps, drawn);
  if (!mayBeSentAgain(outcome, passage)) return answerOf(outcome);
  const other = await deps.arms.await(drawn, wasTried ? generation : untried, deps.holdMs);
  if (other?.base === undefined) return answerOf(outcome);
  return answerOf(await send(deps, passage, other, { base: other.base, isDrawn: false }));
}

/** No upstream's generation: a revision that was passed over may be tried when there is no other. */
const untried = -1;

/** Leaves out a revision that takes no requests now. */
function passOver({ meter }: ProxyDeps, { id }: Upstream): Outcome {
  meter.record(id, "error", 0);
  return { kind: "refused" };
}

/** Sent nothing: any request. Sent something: only one that does no harm when done twice. */
function mayBeSentAgain(outcome: Outcome, { request, body }: Passage): boolean {
  if (body instanceof ReadableStream) return false;
  if (outcome.kind === "refused") return true;
  return outcome.kind === "reset" && (safeMethods.has(request.method) || request.headers.has("idempotency-key"));
}

async function send(
  { arms, meter, timeoutMs }: ProxyDeps,
  { request, peer, body, counted }: Passage,
  upstream: Upstream,
  { base, isDrawn }: { base: string; isDrawn: boolean },
): Promise<Outcome> {
  const since = performance.now();
  enter(upstream);
  return exchange({
    url: base + targetOf(request.url),
    init: { method: request.method, headers: forwardedHeaders(request, peer), body },
    client: request.signal,
    revision: upstream.id,
    timeoutMs,
    onEnd: (ending) => {
      leave(upstream);
      if (!counted) return;
      if (isDrawn) meter.record(upstream.id, ending, performance.now() - since);
      noteEnding(upstream, ending, arms);
    },
  });
}

function answerOf(outcome: Outcome): Response {
  switch (outcome.kind) {
    case "answered":
      return outcome.response;
    case "refused":
      return problem("no_revision", "Cannot route the request: no revision takes requests at the moment");
    case "reset":
      return problem("revision_failed", "Cannot answer: the revision broke off before its answer began");
    case "timedOut":
      return problem("revision_timed_out", "Cannot answer: the revision did not answer in time");
    case "cancelled":
      return new Response(null, { status: 499 }); // the client is gone: nobody reads this
  }
}

/** Rejects when the client goes away before its body is whole. `request.body` is left alone where it can be: it costs a stream. */
async function bodyOf(request: Request): Promise<BodyInit | null> {
  if (safeMethods.has(request.method)) return null;
  const length = request.headers.get("content-length");
  if (length === null) return request.headers.has("transfer-encoding") ? request.body : null;
  return Number(length) <= wholeBodyBytes ? request.arrayBuffer() : request.body;
}

/** The path and query of an absolute or origin-form URL, always with a leading slash. */
function targetOf(url: string): string {
  if (url.startsWith("/")) return url;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? "/" : url.slice(start);
}
