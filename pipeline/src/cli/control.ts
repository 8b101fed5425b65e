import { userInfo } from "node:os";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { openRollout } from "../rollout/open.ts";
import { DeployError } from "../spec/error.ts";
import type { Command as Order } from "../spec/journal.ts";
import { addCommand, type Outcome } from "./command.ts";
import { holding } from "./holding.ts";
import { type Host, openHost } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";
import { outcomeOf } from "./outcome.ts";
import { terminalProgress } from "./progress.ts";
import { roll } from "./rolling.ts";
import { openTarget } from "./target.ts";

const Options = z.object({ reason: z.string().min(1) });

const descriptions: Record<Order["command"], string> = {
  pause: "Hold the open rollout at its weight until it is resumed.",
  resume: "Go on with a paused rollout; its step begins anew.",
  approve: "Let a rollout that waits for approval take its next step.",
  promote: "Skip the remaining steps: the canary becomes stable now.",
  abort: "End the open rollout: all traffic back to stable.",
};

export function register(program: Command): void {
  for (const [name, description] of Object.entries(descriptions) as [Order["command"], string][]) {
    addCommand(
      program,
      name,
      { description, example: `sluice ${name} --reason "looks good to me"` },
      (command) => command.option("--reason <words>", "kept in the journal", "no reason given"),
      async (options) => {
        const { reason } = parseOptions(Options, options);
        return control(await openHost(placeOf(options)), { command: name, by: userInfo().username, reason });
      },
    );
  }
}

/** Leaves the order for the process that runs the rollout, or runs the rollout here when nobody does. */
async function control(host: Host, order: Order): Promise<Outcome> {
  const open = await openRollout(host.store);
  if (open === undefined) {
    throw new DeployError("E_STATE", `Cannot ${order.command}: no rollout is open; next: sluice status`);
  }
  await host.store.pushCommand(order);
  const lease = await host.store.readLease();
  if (lease !== undefined) {
    const text = `Left for ${lease.holder}, who runs rollout ${open.id}; next: sluice status`;
    return { exit: exitCodes.done, json: { rollout: open.id, leftFor: lease.holder, order }, text };
  }
  return holding(host.store, async (held) => {
    const target = await openTarget(host, held.lease.fence);
    const state = await roll(host, target, held, { rollout: open.id, progress: terminalProgress() });
    return outcomeOf(host, target.address, open.id, state);
  });
}
