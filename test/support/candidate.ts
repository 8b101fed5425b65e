import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import type { Scope } from "../../pipeline/src/spec/keys.ts";
import { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import type { Service } from "../../pipeline/src/stage/contract/ask.ts";
import type { Context } from "../../pipeline/src/stage/contract/context.ts";
import { Description } from "../../pipeline/src/stage/contract/openapi.ts";
import { readConfig } from "../../service/src/config.ts";
import { startService } from "../../service/src/service.ts";

/** Keys of a test service, by their only scopes; `local` predicts and reads, as a rollout's key does. */
const holders: Record<string, Scope[]> = {
  local: ["predict", "read"],
  predictor: ["predict"],
  reader: ["read"],
  scraper: ["metrics"],
};

/** The real service in this process, on a free port of loopback. */
export interface Candidate {
  url: string;
  key: string;
  otherKeys: { name: string; key: string; scopes: Scope[] }[];
  manifest: Manifest;
  golden: Golden;
  stop: () => Promise<void>;
}

/** Starts the service with the model of one folder; `like` gives it another's keys, `idempotency` the file of stored answers. */
export async function aCandidate(
  modelDir: string,
  { like, idempotency }: { like?: Candidate; idempotency?: string } = {},
): Promise<Candidate> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-service-"));
  const held =
    like?.otherKeys ?? Object.entries(holders).map(([name, scopes]) => ({ name, key: newKey(name), scopes }));
  const keys = held.map(({ name, key, scopes }) => ({ id: name, digest: digestKey(key), scopes }));
  await writeFile(join(dir, "keys.json"), JSON.stringify({ schema: "sluice/keys/v1", keys }));
  const stored = idempotency === undefined ? {} : { SLUICE_IDEMPOTENCY: idempotency };
  const config = readConfig({ SLUICE_MODELS: modelDir, SLUICE_KEYS: join(dir, "keys.json"), ...stored });
  const service = await startService(config, { write: () => {}, flush: () => {}, about: () => {} });
  await service.ready;
  return {
    url: `http://127.0.0.1:${service.port}`,
    key: held[0]?.key ?? "",
    otherKeys: held,
    manifest: await readJson(join(modelDir, "manifest.json"), Manifest),
    golden: await readJson(join(modelDir, "golden.json"), Golden),
    async stop() {
      await service.drain();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A service's own description, as text. */
export async function openapiOf({ url, key }: Candidate): Promise<string> {
  const answer = await fetch(`${url}/openapi.json`, { headers: { authorization: `Bearer ${key}` } });
  return await answer.text();
}

type Fetch = NonNullable<Service["fetch"]>;

/** What probes look at; the service is seen through `fetch`. */
export async function contextOf(candidate: Candidate, see: Fetch = fetch): Promise<Context> {
  const { url, key, manifest, golden } = candidate;
  const description = new Description(await openapiOf(candidate), url);
  const predictPath = `/v1/models/${manifest.name}/predict`;
  return { service: { url, fetch: see }, key, otherKeys: [], manifest, golden, description, predictPath };
}

/** Passes requests on, and changes the text of every answer. */
export function saying(change: (text: string) => string): Fetch {
  return async (request) => {
    const answer = await fetch(request);
    return new Response(change(await answer.text()), answer);
  };
}
