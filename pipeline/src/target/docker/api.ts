import { readFileSync } from "node:fs";
import { request as overHttp } from "node:http";
import { request as overTls, type RequestOptions } from "node:https";
import { join } from "node:path";
import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { parseJson } from "../../spec/read.ts";
import { type Answer, answerOf } from "../answer.ts";

/** A daemon's API. Paths have no version: what is used here means the same in every one since 1.25. */
export type Docker = {
  /** Asks and parses the answer. Throws `E_TOOL` when the daemon cannot be reached or says no. */
  ask: <S extends z.ZodType>(method: string, path: string, schema: S, body?: unknown) => Promise<z.output<S>>;
  /** Asks for something that may not be there: undefined when it is not. */
  find: <S extends z.ZodType>(path: string, schema: S) => Promise<z.output<S> | undefined>;
  /** Tells and returns the status; one of `expected` is no error. */
  tell: (method: string, path: string, options?: { body?: unknown; expected?: readonly number[] }) => Promise<number>;
  /** The answer's bytes. */
  read: (path: string) => Promise<Buffer>;
};

const Refusal = z.object({ message: z.string() });
const timeoutMs = 120_000;

/**
 * The daemon at `host`: `unix:///var/run/docker.sock`, or `tcp://HOST:PORT` with the client's `ca.pem`, `cert.pem` and
 * `key.pem` in folder `certificates`. Throws `E_USAGE` for TCP without them: whoever reaches such a daemon is root there.
 */
export function openDocker(host: string, certificates?: string): Docker {
  const where = whereOf(host, certificates);
  const exchange = async (method: string, path: string, body: unknown, expected: readonly number[]) => {
    const answer = await send(where, { method, path, body }).catch((cause: Error) => {
      throw new DeployError(
        "E_TOOL",
        `Cannot ${method} ${path} at ${host}: ${cause.message}; next: see that the Docker daemon runs there`,
        { cause },
      );
    });
    if (answer.status < 400 || expected.includes(answer.status)) return answer;
    throw new DeployError("E_TOOL", `Cannot ${method} ${path} at ${host}: Docker says ${wordsOf(answer)}`);
  };
  const parse = <S extends z.ZodType>(answer: Answer, schema: S, path: string) =>
    parseJson(answer.bytes.toString("utf8"), schema, `Docker's answer to ${path}`);
  return {
    ask: async (method, path, schema, body) => parse(await exchange(method, path, body, []), schema, path),
    find: async (path, schema) => {
      const answer = await exchange("GET", path, undefined, [404]);
      return answer.status === 404 ? undefined : parse(answer, schema, path);
    },
    tell: async (method, path, { body, expected = [] } = {}) => (await exchange(method, path, body, expected)).status,
    read: async (path) => (await exchange("GET", path, undefined, [])).bytes,
  };
}

function whereOf(host: string, certificates: string | undefined): RequestOptions {
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length) };
  if (certificates === undefined) {
    throw new DeployError(
      "E_USAGE",
      `Cannot use Docker at ${host}: no certificates are named; next: a folder with ca.pem, cert.pem and key.pem`,
    );
  }
  const { hostname, port } = new URL(host);
  const read = (name: string) => readCertificate(join(certificates, name));
  return { hostname, port, ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}

function readCertificate(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DeployError("E_FILE", `Cannot read ${path}: Docker over TCP needs it`, { cause });
  }
}

function send(
  where: RequestOptions,
  { method, path, body }: { method: string; path: string; body: unknown },
): Promise<Answer> {
  const call = { ...where, method, path, timeout: timeoutMs };
  // Over TLS the daemon's certificate is held against the real host's name.
  if (where.socketPath === undefined) return answerOf(overTls, call, { body });
  return answerOf(overHttp, call, { headers: { host: "docker" }, body });
}

function wordsOf({ status, bytes }: Answer): string {
  const text = bytes.toString("utf8");
  try {
    return `${status} ${Refusal.parse(JSON.parse(text)).message}`;
  } catch {
    return `${status} ${text}`;
  }
}
