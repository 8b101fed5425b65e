import { request } from "node:http";
import type { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { parseJson } from "../../spec/read.ts";
import { AdminProblem } from "../../spec/site.ts";
import { type Answer, answerOf } from "../answer.ts";

type Call = { method: string; path: string; body?: unknown };

/** No socket, nobody behind it, or closed before the call was out: nothing was done. */
const absent = new Set<unknown>(["ENOENT", "ECONNREFUSED", "EPIPE"]);

/** Calls the admin API on `socket`; undefined when no site listens there. Throws what the site refused with. */
export async function call<S extends z.ZodType>(socket: string, it: Call, schema: S): Promise<z.output<S> | undefined> {
  const answer = await exchange(socket, it);
  if (answer === undefined) return undefined;
  const source = `the site's answer to ${it.method} ${it.path}`;
  const text = answer.bytes.toString("utf8");
  if (answer.status === 200) return parseJson(text, schema, source);
  const { code, detail } = parseJson(text, AdminProblem, source);
  if (code === "E_BUG") throw new Error(`Site failed at ${it.method} ${it.path}: ${detail}`);
  throw new DeployError(code, detail);
}

async function exchange(socketPath: string, { method, path, body }: Call): Promise<Answer | undefined> {
  try {
    return await answerOf(request, { socketPath, method, path }, { headers: { host: "site" }, body });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const code = "code" in cause ? cause.code : undefined;
    if (absent.has(code) || (method === "GET" && code === "ECONNRESET")) return undefined;
    const words = `Cannot ${method} ${path} at ${socketPath}: ${cause.message}; next: sluice site up`;
    throw new DeployError("E_TOOL", words, { cause });
  }
}
