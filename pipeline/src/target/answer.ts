import type { ClientRequest, IncomingMessage } from "node:http";
import type { RequestOptions } from "node:https";

export type Answer = { status: number; bytes: Buffer };

/** `request` of node:http or node:https. */
type Request = (options: RequestOptions, heard: (response: IncomingMessage) => void) => ClientRequest;

/** Sends `body` as JSON on a connection of its own and returns the whole answer. A `timeout` is how long nothing may come, in ms. */
export function answerOf(
  request: Request,
  options: RequestOptions,
  { headers = {}, body }: { headers?: Record<string, string>; body: unknown },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const typed = { ...headers, "content-type": "application/json" };
    const sent = request({ ...options, headers: typed, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }));
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${options.timeout} ms`)));
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
