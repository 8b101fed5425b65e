import { userInfo } from "node:os";
import type { Command } from "commander";
import { z } from "zod";
import { fold } from "../decide/state.ts";
import { readRelease } from "../release/stage.ts";
import { openRollout } from "../rollout/open.ts";
import { DeployError } from "../spec/error.ts";
import type { Release } from "../spec/release.ts";
import { beginRollout, stableOf } from "./begin.ts";
import { addCommand } from "./command.ts";
import { holding } from "./holding.ts";
import { type Host, openHost } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";
import { outcomeOf } from "./outcome.ts";
import { terminalProgress } from "./progress.ts";
import { roll } from "./rolling.ts";
import { openTarget, type Target } from "./target.ts";

const Options = z.object({ to: z.string().min(1).optional(), reason: z.string().min(1) });

export function register(program: Command): void {
  addCommand(
    program,
    "rollback",
    {
      description: "Return the whole earlier release, code and model and policies, at once and without steps.",
      example: 'sluice rollback --reason "labels look wrong"',
    },
    (command) =>
      command
        .option("--to <release>", "id of an admitted release (default: the one before)")
        .option("--reason <words>", "kept in the journal", "no reason given"),
    async (options) => {
      const { to, reason } = parseOptions(Options, options);
      const host = await openHost(placeOf(options));
      const open = await openRollout(host.store);
      if (open !== undefined) {
        throw new DeployError("E_STATE", `Cannot roll back: rollout ${open.id} has not ended; next: sluice abort`);
      }
      return holding(host.store, async (held) => {
        const target = await openTarget(host, held.lease.fence);
        const candidate = await destination(host, target, to);
        const command = { command: "promote", by: userInfo().username, reason: `rollback: ${reason}` } as const;
        const rollout = await beginRollout(host, target, held, { candidate, command });
        const state = await roll(host, target, held, { rollout, progress: terminalProgress() });
        return outcomeOf(host, target.address, rollout, state);
      });
    },
  );
}

/** The release to return to: the named one, or the one that stable replaced. */
async function destination(host: Host, target: Target, to: string | undefined): Promise<Release> {
  const stable = (await stableOf(host, target)).release;
  if (to === stable.id) throw new DeployError("E_USAGE", `Cannot roll back to ${to}: it is stable already`);
  if (to !== undefined) return readRelease(host.releasesDir, to);
  for (const id of (await host.store.listRollouts()).reverse()) {
    const state = fold(await host.store.readJournal(id));
    const promoted = state?.closed?.result === "promoted" && state.opened.candidate.id === stable.id;
    if (promoted) return readRelease(host.releasesDir, state.opened.stable.id);
  }
  throw new DeployError(
    "E_STATE",
    `Cannot roll back: no rollout made ${stable.id} stable; next: sluice rollback --to RELEASE`,
  );
}
