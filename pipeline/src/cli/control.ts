import { userInfo } from "node:os";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { openRollout } from "../rollout/open.ts";
import { DeployError } from "../spec/error.ts";
import type { Command as Order } from "../spec/journal.ts";
import { addCommand, type Outcome } from "./command.ts";
import { demandBudget, overrideBudget, overrideBudgetOption } from "./error-budget.ts";
import { holding } from "./holding.ts";
import { type Host, openHost } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";
import { outcomeOf } from "./outcome.ts";
import { terminalProgress } from "./progress.ts";
import { roll } from "./rolling.ts";
import { openTarget } from "./target.ts";
import { traffic, trafficOption, withTraffic } from "./traffic.ts";

const Options = z.object({ reason: z.string().min(1), overrideBudget, traffic });

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
      (command) => {
        const withReason = command.option("--reason <words>", "kept in the journal", "no reason given");
        if (name === "promote") return withReason.option(...overrideBudgetOption);
        return name === "resume" || name === "approve" ? withReason.option(...trafficOption) : withReason;
      },
      async (options) => {
        const { reason, overrideBudget, traffic } = parseOptions(Options, options);
        const host = withTraffic(await openHost(placeOf(options)), traffic);
        const why = name === "promote" ? await affordable(host, reason, overrideBudget) : reason;
        return control(host, { command: name, by: userInfo().username, reason: why });
      },
    );
  }
}

/** The reason of a promotion, and of the override that it took; throws `E_GATE` when the error budget does not allow it. */
async function affordable(host: Host, reason: string, overrideReason: string | undefined): Promise<string> {
  const budget = await demandBudget(host, overrideReason, terminalProgress());
  return budget?.override === undefined ? reason : `${reason} (error budget overridden: ${budget.override.reason})`;
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
