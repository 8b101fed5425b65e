import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { fold } from "../decide/state.ts";
import { summariseRollout } from "../report/summary.ts";
import { renderRollout } from "../report/text.ts";
import { newestRollout } from "../rollout/open.ts";
import { addCommand, type Outcome } from "./command.ts";
import { type Host, openHost } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { describeSite } from "./site.ts";
import { targetStatus } from "./target.ts";
import { type Reading, watch } from "./watch.ts";

const Options = z.object({ watch: z.boolean().optional() });

export function register(program: Command): void {
  addCommand(
    program,
    "status",
    { description: "What is serving, and the newest rollout.", example: "sluice status --watch" },
    (command) => command.option("--watch", "show it anew each second until the rollout ends or waits for somebody"),
    async (options) => {
      const host = await openHost(placeOf(options));
      if (parseOptions(Options, options).watch === true) return watch(() => readStatus(host));
      return (await readStatus(host)).outcome;
    },
  );
  addCommand(
    program,
    "history",
    { description: "Every rollout of the environment, newest first.", example: "sluice history --json" },
    (command) => command,
    async (options) => history(await openHost(placeOf(options))),
  );
}

async function readStatus(host: Host): Promise<Reading> {
  const site = await targetStatus(host);
  const lease = await host.store.readLease();
  const newest = await newestRollout(host.store);
  const summary = newest === undefined ? undefined : summariseRollout(await host.store.readJournal(newest.id));
  const text = [
    site === undefined ? "The site is down; next: sluice site up" : describeSite(site),
    lease === undefined ? "Nobody holds the lease" : `${lease.holder} holds the lease (fence ${lease.fence})`,
    summary === undefined ? "No rollout yet; next: sluice deploy" : renderRollout(summary, coloursFor(process.stdout)),
  ].join("\n");
  const json = { site: site ?? null, lease: lease ?? null, rollout: summary ?? null };
  return { outcome: { exit: exitCodes.done, json, text }, settled: lease === undefined };
}

async function history(host: Host): Promise<Outcome> {
  const rows = [];
  for (const id of (await host.store.listRollouts()).reverse()) {
    const state = fold(await host.store.readJournal(id));
    if (state === undefined) continue;
    const { candidate, stable } = state.opened;
    const result = state.closed?.result ?? (state.paused === undefined ? "open" : "paused");
    const reason = state.closed?.reason ?? state.paused ?? "";
    rows.push({ rollout: id, candidate: candidate.id, stable: stable.id, result, reason });
  }
  const lines = rows.map((row) => `${row.rollout}  ${row.result}  ${row.stable} -> ${row.candidate}  ${row.reason}`);
  const text = lines.join("\n") || "No rollout yet; next: sluice deploy";
  return { exit: exitCodes.done, json: { rollouts: rows }, text };
}
