import { z } from "zod";
import { DeployError } from "../../spec/error.ts";

/** Who asks. The password reaches the registry that asked for it and nobody else. */
export type Credentials = { username: string; password: string };

/** One repository of a registry. `plainHttp` is for registries on loopback and in tests. */
export type RegistryOptions = { host: string; repository: string; plainHttp: boolean; credentials?: Credentials };

/** Sends one request; a status that is not in `expect` throws `E_TOOL` with the registry's words. */
export type Ask = (
  method: "GET" | "HEAD" | "POST" | "PUT",
  path: string,
  options: { expect: readonly number[]; headers?: Record<string, string>; body?: () => BodyInit },
) => Promise<Response>;

const Token = z.union([
  z.object({ token: z.string() }).transform(({ token }) => token),
  z.object({ access_token: z.string() }).transform(({ access_token }) => access_token),
]);

/** A repository by the OCI distribution API; `path` is relative to it, or absolute as a registry's Location says. */
export function openRegistry({ host, repository, plainHttp, credentials }: RegistryOptions): Ask {
  const origin = `${plainHttp ? "http" : "https"}://${host}`;
  let authorization: string | undefined;
  return async (method, path, { expect, headers = {}, body }) => {
    const url = new URL(path, `${origin}/v2/${repository}/`);
    const send = () => {
      const own = url.origin === origin && authorization !== undefined ? { authorization } : {};
      const init = body === undefined ? {} : { body: body() };
      return reach(url, { method, headers: { ...headers, ...own }, ...init });
    };
    let response = await send();
    if (response.status === 401 && url.origin === origin) {
      authorization = await authorize(response, credentials);
      response = await send();
    }
    if (expect.includes(response.status)) return response;
    const words = (await response.text()).slice(0, 300);
    throw new DeployError(
      "E_TOOL",
      `Cannot ${method} ${url.pathname} at ${host}: status is ${response.status}: ${words}`,
    );
  };
}

/** Answers a registry's challenge: the password itself, or a token that it is changed for. */
async function authorize(response: Response, credentials: Credentials | undefined): Promise<string> {
  const challenge = response.headers.get("www-authenticate") ?? "";
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
  const basic = credentials && `Basic ${btoa(`${credentials.username}:${credentials.password}`)}`;
  if (/^basic/i.test(challenge)) {
    if (basic !== undefined) return basic;
    throw new DeployError("E_TOOL", "Cannot use registry: it wants a user name and a password; next: add --username");
  }
  const realm = field("realm");
  if (realm === undefined) throw new DeployError("E_TOOL", `Cannot use registry: its challenge is ${challenge}`);
  const url = new URL(realm);
  for (const name of ["service", "scope"]) url.searchParams.set(name, field(name) ?? "");
  const answer = await reach(url, basic === undefined ? {} : { headers: { authorization: basic } });
  const token = Token.safeParse(await answer.json().catch(() => undefined));
  if (!token.success)
    throw new DeployError("E_TOOL", `Cannot use registry: ${url.host} gave no token (${answer.status})`);
  return `Bearer ${token.data}`;
}

/** Every request may be sent twice: a kept connection that the registry just closed is no reason to give up. */
async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init).catch(() => fetch(url, init));
  } catch (cause) {
    throw new DeployError("E_TOOL", `Cannot reach registry ${url.host}: ${String(cause)}`, { cause });
  }
}
