import { request } from "node:http";
import type { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { parseJson } from "../../spec/read.ts";
import { AdminProblem } from "../../spec/site.ts";

type Call = { method: string; path: string; body?: unknown };
type Answer = { status: number; text: string };

/** No socket, nobody behind it, or closed before the call was out: nothing was done. */
const absent = new Set<unknown>(["ENOENT", "ECONNREFUSED", "EPIPE"]);

/** Calls the admin API on `socket`; undefined when no site listens there. Throws what the site refused with. */
export async function call<S extends z.ZodType>(socket: string, it: Call, schema: S): Promise<z.output<S> | undefined> {
  const answer = await exchange(socket, it);
  if (answer === undefined) return undefined;
  const source = `the site's answer to ${it.method} ${it.path}`;
  if (answer.status === 200) return parseJson(answer.text, schema, source);
  const { code, detail } = parseJson(answer.text, AdminProblem, source);
  if (code === "E_BUG") throw new Error(`Site failed at ${it.method} ${it.path}: ${detail}`);
  throw new DeployError(code, detail);
}

function exchange(socketPath: string, { method, path, body }: Call): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      const code = "code" in cause ? cause.code : undefined;
      if (absent.has(code) || (method === "GET" && code === "ECONNRESET")) return resolve(undefined);
      reject(
        new DeployError("E_TOOL", `Cannot ${method} ${path} at ${socketPath}: ${cause.message}; next: sluice site up`, {
          cause,
        }),
      );
    };
    const sent = request(
      { socketPath, agent: false, method, path, headers: { host: "site", "content-type": "application/json" } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    sent.on("error", fail);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
