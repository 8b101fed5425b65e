import type { Command } from "commander";
import { exitCodes } from "../decide/exit.ts";
import { fold } from "../decide/state.ts";
import { summariseRollout } from "../report/summary.ts";
import { renderRollout } from "../report/text.ts";
import { newestRollout } from "../rollout/open.ts";
import { siteStatus } from "../target/local/up.ts";
import { addCommand } from "./command.ts";
import { openHost } from "./host.ts";
import { placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { describeSite } from "./site.ts";

export function register(program: Command): void {
  addCommand(
    program,
    "status",
    { description: "What is serving, and the newest rollout.", example: "sluice status --json" },
    (command) => command,
    async (options) => {
      const host = await openHost(placeOf(options));
      const site = await siteStatus(host.place.stateDir);
      const lease = await host.store.readLease();
      const newest = await newestRollout(host.store);
      const summary = newest === undefined ? undefined : summariseRollout(await host.store.readJournal(newest.id));
      const text = [
        site === undefined ? "The site is down; next: sluice site up" : describeSite(site),
        lease === undefined ? "Nobody holds the lease" : `${lease.holder} holds the lease (fence ${lease.fence})`,
        summary === undefined
          ? "No rollout yet; next: sluice deploy"
          : renderRollout(summary, coloursFor(process.stdout)),
      ].join("\n");
      return {
        exit: exitCodes.done,
        json: { site: site ?? null, lease: lease ?? null, rollout: summary ?? null },
        text,
      };
    },
  );
  addCommand(
    program,
    "history",
    { description: "Every rollout of the environment, newest first.", example: "sluice history --json" },
    (command) => command,
    async (options) => {
      const host = await openHost(placeOf(options));
      const rows = [];
      for (const id of (await host.store.listRollouts()).reverse()) {
        const state = fold(await host.store.readJournal(id));
        if (state === undefined) continue;
        const { candidate, stable } = state.opened;
        const result = state.closed?.result ?? (state.paused === undefined ? "open" : "paused");
        const reason = state.closed?.reason ?? state.paused ?? "";
        rows.push({ rollout: id, candidate: candidate.id, stable: stable.id, result, reason });
      }
      const text = rows.map((row) => `${row.rollout}  ${row.result}  ${row.stable} -> ${row.candidate}  ${row.reason}`);
      return {
        exit: exitCodes.done,
        json: { rollouts: rows },
        text: text.join("\n") || "No rollout yet; next: sluice deploy",
      };
    },
  );
}
