import { existsSync } from "node:fs";
import { replaceFile } from "../../rollout/durable.ts";
import type { Router } from "../../rollout/ports.ts";
import { DeployError } from "../../spec/error.ts";
import { readJson } from "../../spec/read.ts";
import type { Samples, Weights } from "../../spec/sample.ts";
import type { SiteWeights } from "../../spec/site.ts";
import { backendName, latencyTable } from "./config.ts";
import { type Control, command } from "./control.ts";
import { goOn, Kept, samplesOf, total } from "./samples.ts";
import { parseGeneration, parseStat, parseTable, type ServerStat } from "./show.ts";

export type HaproxyOptions = {
  control: Control;
  /** Where counts are kept over HAProxy's reloads. */
  samplesFile: string;
};

/** A running HAProxy as router, by its runtime API; servers are named for revisions. */
export type HaproxyRouter = Router & {
  /** Waits until a server without weight has no request under way; throws `E_STATE` after `seconds`. */
  drain: (id: string, seconds: number) => Promise<void>;
  /** Whether it finds revision `id` well. */
  isUp: (id: string) => Promise<boolean>;
};

const drainPollMs = 50;

export function openHaproxy({ control, samplesFile }: HaproxyOptions): HaproxyRouter {
  const stats = async () => parseStat(await command(control, "show stat"), backendName);
  return {
    readWeights: async () => weightsOf(await stats()),
    writeWeights: async (weights) => writeWeights(control, await stats(), weights),
    readSamples: () => readSamples(control, samplesFile),
    isUp: async (id) => (await stats()).some(({ svname, status }) => svname === id && status.startsWith("UP")),
    drain: async (id, seconds) => {
      const deadline = performance.now() + seconds * 1_000;
      for (;;) {
        const server = (await stats()).find(({ svname }) => svname === id);
        if (server === undefined || server.scur === 0) return;
        if (performance.now() > deadline) {
          throw new DeployError(
            "E_STATE",
            `Cannot drain ${id}: ${server.scur} requests are under way after ${seconds} s`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, drainPollMs));
      }
    },
  };
}

function weightsOf(stats: readonly ServerStat[]): SiteWeights {
  return Object.fromEntries(stats.filter(({ weight }) => weight > 0).map(({ svname, weight }) => [svname, weight]));
}

async function writeWeights(control: Control, stats: readonly ServerStat[], weights: Weights): Promise<void> {
  for (const [id, weight] of Object.entries(weights)) {
    const status = stats.find(({ svname }) => svname === id)?.status;
    if (weight > 0 && status?.startsWith("UP") !== true) {
      throw new DeployError(
        "E_STATE",
        `Cannot give revision ${id} weight ${weight}: HAProxy has it as ${status ?? "unknown"}, expected UP`,
      );
    }
  }
  const wanted = new Map(Object.entries(weights));
  const commands = stats.map(({ svname }) => `set weight ${backendName}/${svname} ${wanted.get(svname) ?? 0}`);
  const answer = await command(control, ...commands);
  if (answer !== "") throw new DeployError("E_TOOL", `Cannot set weights: HAProxy says ${answer}`);
}

async function readSamples(control: Control, file: string): Promise<Samples> {
  const generation = parseGeneration(await command(control, "show info"));
  const stats = parseStat(await command(control, "show stat"), backendName);
  const cells = parseTable(await command(control, `show table ${latencyTable}`));
  const before = existsSync(file) ? await readJson(file, Kept) : undefined;
  const kept = goOn(before, generation, samplesOf(stats, cells));
  await replaceFile(file, JSON.stringify(kept));
  return total(kept);
}
