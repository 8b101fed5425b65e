import { answeredHeaders } from "./headers.ts";
import type { Ending } from "./meter.ts";

/** What came of sending a request to a revision. */
export type Outcome =
  | { kind: "answered"; response: Response }
  /** No connection: nothing of the request was sent, so it may be sent elsewhere, whatever it is. */
  | { kind: "refused" }
  /** The connection broke before an answer began; the revision may have done the work. */
  | { kind: "reset"; detail: string }
  | { kind: "timedOut" }
  | { kind: "cancelled" };

/** One request to one revision. `onEnd` is called once, when the answer's last byte is through or it has failed. */
export type Exchange = {
  url: string;
  init: RequestInit;
  /** Aborted when the client goes away. */
  client: AbortSignal;
  revision: string;
  timeoutMs: number;
  onEnd: (ending: Ending) => void;
};

/** Answers up to this size are taken whole before they are handed on: cheaper than a stream, and a cut one can be told as an error. */
const wholeAnswerBytes = 64 * 1024;
const bodilessStatuses = new Set([204, 205, 304]);

export async function exchange(it: Exchange): Promise<Outcome> {
  const control = new AbortController();
  const cancel = () => control.abort("cancelled");
  it.client.addEventListener("abort", cancel, { once: true });
  const timer = setTimeout(() => control.abort("timedOut"), it.timeoutMs);
  try {
    const answer = await fetch(it.url, { ...it.init, signal: control.signal, redirect: "manual", decompress: false });
    if (isBodiless(answer, it)) return { kind: "answered", response: bodiless(answer, it) };
    return { kind: "answered", response: isSmall(answer) ? await whole(answer, it) : streamed(answer, it) };
  } catch (error) {
    return failed(error, control.signal, it);
  } finally {
    clearTimeout(timer);
  }
}

function failed(error: unknown, signal: AbortSignal, { onEnd }: Exchange): Outcome {
  if (signal.reason === "cancelled") {
    onEnd("cancelled");
    return { kind: "cancelled" };
  }
  onEnd("error");
  if (signal.reason === "timedOut") return { kind: "timedOut" };
  if (codeOf(error) === "ECONNREFUSED") return { kind: "refused" };
  return { kind: "reset", detail: codeOf(error) };
}

/** Whether the answer has no body, whatever its length says. */
function isBodiless(answer: Response, { init }: Exchange): boolean {
  return init.method === "HEAD" || bodilessStatuses.has(answer.status);
}

function isSmall(answer: Response): boolean {
  const length = answer.headers.get("content-length");
  return length !== null && Number(length) <= wholeAnswerBytes;
}

function bodiless(answer: Response, { revision, onEnd }: Exchange): Response {
  onEnd(endingOf(answer.status));
  return new Response(null, { status: answer.status, headers: answeredHeaders(answer, revision) });
}

async function whole(answer: Response, { revision, onEnd }: Exchange): Promise<Response> {
  const body = await answer.arrayBuffer();
  onEnd(endingOf(answer.status));
  return new Response(body, { status: answer.status, headers: answeredHeaders(answer, revision) });
}

/** Hands the body on as it comes, at the client's pace. */
function streamed(answer: Response, { revision, onEnd }: Exchange): Response {
  const reader = answer.body?.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await reader?.read();
        if (chunk?.value !== undefined) return controller.enqueue(chunk.value);
        onEnd(endingOf(answer.status));
        controller.close();
      } catch (error) {
        onEnd("error");
        controller.error(error);
      }
    },
    async cancel(reason) {
      onEnd("cancelled");
      await reader?.cancel(reason);
    },
  });
  return new Response(body, { status: answer.status, headers: answeredHeaders(answer, revision) });
}

function endingOf(status: number): Ending {
  if (status >= 500) return "error";
  return status >= 400 ? "clientError" : "answered";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
