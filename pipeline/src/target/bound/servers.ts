import { z } from "zod";
import type { Served, Server } from "../../decide/arms.ts";
import { armHeaders } from "../../spec/address.ts";
import { Digest } from "../../spec/digest.ts";
import { ModelName } from "../../spec/name.ts";
import { backendName } from "../haproxy/config.ts";
import { type Control, command } from "../haproxy/control.ts";
import { parseStat } from "../haproxy/show.ts";

const timeoutMs = 5_000;

const Models = z.object({ models: z.array(z.object({ name: ModelName, digest: Digest })) });
const About = z.object({ release: z.object({ code: z.object({ kind: z.string(), digest: Digest }) }).nullable() });

/** How to ask the servers behind an HAProxy: `site` is where clients come, `key` has the scope `read`. */
export type Asking = { control: Control; site: string; key: string; model: string };

/** The address of one server, past the router's draw. */
export function addressBehind(site: string, id: string): string {
  const url = new URL(site);
  url.hash = id;
  return url.href;
}

/** Every server behind HAProxy with its weight, and what it says that it serves. */
export async function findServers(asking: Asking): Promise<Server[]> {
  const stats = parseStat(await command(asking.control, "show stat"), backendName);
  return Promise.all(
    stats.map(async ({ svname, weight, status }) => {
      const serves = status.startsWith("UP") ? await askServed(addressBehind(asking.site, svname), asking) : undefined;
      return { id: svname, weight, serves };
    }),
  );
}

async function askServed(address: string, { key, model }: Asking): Promise<Served | undefined> {
  const ask = async <S extends z.ZodType>(path: string, schema: S) => {
    const headers = { authorization: `Bearer ${key}`, ...armHeaders(address) };
    const response = await fetch(new URL(path, address), { headers, signal: AbortSignal.timeout(timeoutMs) });
    return schema.parse(await response.json());
  };
  try {
    const { models } = await ask("/v1/models", Models);
    const digest = models.find(({ name }) => name === model)?.digest;
    if (digest === undefined) return undefined;
    const { release } = await ask("/v1/release", About);
    return release?.code.kind === "image" ? { model: digest, image: release.code.digest } : { model: digest };
  } catch {
    return undefined; // it answers nothing that could be understood: no server to cast
  }
}
