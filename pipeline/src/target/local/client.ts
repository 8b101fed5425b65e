import type { z } from "zod";
import type { Router, Runtime } from "../../rollout/ports.ts";
import { DeployError } from "../../spec/error.ts";
import { Samples } from "../../spec/sample.ts";
import { Done, Revision, SiteState } from "../../spec/site.ts";
import { call } from "./call.ts";
import { sitePaths } from "./paths.ts";

/** `fence` is the lease's: the site refuses writes with a smaller one than it has seen. */
export type SiteClientOptions = { fence?: number };

/** The site of `stateDir` as router and runtime. Every call throws `E_TOOL` when no site runs. */
export function openSite(stateDir: string, { fence = 0 }: SiteClientOptions = {}): Router & Runtime {
  const { socket } = sitePaths(stateDir);
  const ask = async <S extends z.ZodType>(
    method: string,
    path: string,
    schema: S,
    body?: unknown,
  ): Promise<z.output<S>> => {
    const answer = await call(socket, { method, path, body }, schema);
    if (answer !== undefined) return answer;
    throw new DeployError("E_TOOL", `Cannot ${method} ${path}: no site listens at ${socket}; next: sluice site up`);
  };
  const state = () => ask("GET", "/v1/site", SiteState);
  return {
    readWeights: async () => (await state()).weights,
    writeWeights: async (weights) => void (await ask("PUT", "/v1/weights", Done, { weights, fence })),
    readSamples: () => ask("GET", "/v1/samples", Samples),
    list: async () => (await state()).revisions,
    start: (id, wanted) => ask("PUT", `/v1/revisions/${encodeURIComponent(id)}`, Revision, { ...wanted, fence }),
    stop: async (id, { drainSeconds }) =>
      void (await ask("POST", `/v1/stop/${encodeURIComponent(id)}`, Done, { drainSeconds, fence })),
    addressOf: async (id) => addressOf(id, (await state()).revisions),
    readStable: async () => (await state()).stable,
    writeStable: async (id) => void (await ask("PUT", "/v1/stable", Done, { id, fence })),
  };
}

function addressOf(id: string, revisions: Revision[]): string {
  const revision = revisions.find((one) => one.id === id);
  if (revision?.state === "ready") return `http://127.0.0.1:${revision.port}`;
  throw new DeployError(
    "E_STATE",
    `Cannot reach revision ${id}: it is ${revision?.state ?? "unknown"}, expected ready`,
  );
}
