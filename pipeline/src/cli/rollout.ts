import type { Command } from "commander";
import { z } from "zod";
import { readRelease } from "../release/stage.ts";
import { openRollout } from "../rollout/open.ts";
import { DeployError } from "../spec/error.ts";
import { beginRollout, demandBeginning } from "./begin.ts";
import { addCommand } from "./command.ts";
import { demandBudget, overrideBudget, overrideBudgetOption } from "./error-budget.ts";
import { type Holding, holding } from "./holding.ts";
import { type Host, openHost } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";
import { outcomeOf } from "./outcome.ts";
import { type Progress, terminalProgress } from "./progress.ts";
import { roll } from "./rolling.ts";
import { openTarget, type Target } from "./target.ts";
import { traffic, trafficOption, withTraffic } from "./traffic.ts";

const Options = z.object({ override: z.string().min(1).optional(), overrideBudget, traffic });
type Options = Omit<z.infer<typeof Options>, "traffic">;

export function register(program: Command): void {
  addCommand(
    program,
    "rollout",
    {
      description: "Let traffic in on a release that was admitted before; without one, go on with the open rollout.",
      example: "sluice rollout magika-3.3.0-0123456789ab",
    },
    (command) =>
      command
        .argument("[release]", "id of an admitted release")
        .option("--override <reason>", "begin in a freeze window or a cooldown; the reason is journaled")
        .option(...overrideBudgetOption)
        .option(...trafficOption),
    async (options, [id]) => {
      const { traffic, ...overrides } = parseOptions(Options, options);
      const host = withTraffic(await openHost(placeOf(options)), traffic);
      const progress = terminalProgress();
      return holding(host.store, async (held) => {
        const target = await openTarget(host, held.lease.fence);
        const rollout = await openOrBegin(host, target, held, { id, progress, ...overrides });
        const state = await roll(host, target, held, { rollout, progress });
        return outcomeOf(host, target.address, rollout, state);
      });
    },
  );
}

async function openOrBegin(
  host: Host,
  target: Target,
  held: Holding,
  { id, override, overrideBudget, progress }: Options & { id: string | undefined; progress: Progress },
): Promise<string> {
  const open = await openRollout(host.store);
  if (open === undefined) {
    if (id === undefined) {
      throw new DeployError("E_STATE", "Cannot go on: no rollout is open; next: sluice rollout RELEASE");
    }
    const candidate = await readRelease(host.releasesDir, id);
    await demandBeginning(host, candidate, override);
    const budget = await demandBudget(host, overrideBudget, progress);
    return beginRollout(host, target, held, { candidate, override, budget });
  }
  const other = open.state.opened.candidate.id;
  if (id !== undefined && id !== other) {
    throw new DeployError(
      "E_STATE",
      `Cannot roll out ${id}: the rollout of ${other} has not ended; next: sluice abort`,
    );
  }
  return open.id;
}
