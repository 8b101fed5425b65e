import type { Command } from "commander";
import { exitCodes } from "../decide/exit.ts";
import type { SiteState } from "../spec/site.ts";
import { siteUpgrade } from "../target/local/up.ts";
import { addCommand, type Outcome } from "./command.ts";
import { openHost } from "./host.ts";
import { placeOf } from "./options.ts";
import { targetDown, targetStatus, targetUp } from "./target.ts";

export function register(program: Command): void {
  const site = program.command("site").description("The embedded local site: a router and its revisions.");
  const plain = (command: Command) => command;
  addCommand(
    site,
    "up",
    { description: "Start the site, or bring a killed one back as it was.", example: "sluice site up" },
    plain,
    async (options) => stateOutcome(await targetUp(await openHost(placeOf(options)))),
  );
  addCommand(
    site,
    "upgrade",
    {
      description: "Replace the site's own process by this Sluice's, without losing a request.",
      example: "sluice site upgrade",
    },
    plain,
    async (options) => stateOutcome(await siteUpgrade(placeOf(options).stateDir)),
  );
  addCommand(
    site,
    "down",
    { description: "Drain and stop the site and its revisions; its state stays.", example: "sluice site down" },
    plain,
    async (options) => {
      await targetDown(await openHost(placeOf(options)));
      return { exit: exitCodes.done, json: { up: false }, text: "The site is down; next: sluice site up" };
    },
  );
  addCommand(
    site,
    "status",
    { description: "What the site runs and how traffic is split.", example: "sluice site status --json" },
    plain,
    async (options) => stateOutcome(await targetStatus(await openHost(placeOf(options)))),
  );
}

function stateOutcome(state: SiteState | undefined): Outcome {
  if (state === undefined) {
    return { exit: exitCodes.done, json: { up: false }, text: "The site is down; next: sluice site up" };
  }
  return { exit: exitCodes.done, json: { up: true, ...state }, text: describeSite(state) };
}

/** The site in words, a line for each revision. */
export function describeSite(state: SiteState): string {
  const weights: Readonly<Record<string, number>> = state.weights;
  const lines = state.revisions.map((revision) => {
    const role = revision.id === state.stable ? " (stable)" : "";
    const restarts = revision.restarts > 0 ? `, ${revision.restarts} restarts` : "";
    return `  ${String(weights[revision.id] ?? 0).padStart(3)} %  ${revision.id}${role}: ${revision.state}, pid ${revision.pid}${restarts}`;
  });
  return [`The site listens at ${state.address}`, ...(lines.length > 0 ? lines : ["  no revision"])].join("\n");
}
