import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { SiteState } from "../../pipeline/src/spec/site.ts";
import { siteStatus } from "../../pipeline/src/target/local/up.ts";
import { aRepository, type CliResult, sluice, startCli } from "../../test/support/cli.ts";
import { startClient } from "../../test/support/client.ts";
import { loosen } from "../../test/support/loose.ts";
import { mayMount, mountSmallDisk, type SmallDisk } from "../../test/support/small-disk.ts";
import { kindsOf, resultOf } from "./journal.ts";

/** What became of one rollout. `lost` is in words, empty when no request was. */
export type Row = { victim: string; moment: string; result: string; answered: number; lost: string; isBad: boolean };

/** A rollout under way. */
export type Running = { child: ChildProcess; result: Promise<CliResult>; journal: string };

/** Does the harm, at its moment; says in words when that was. May undo it once the command has ended. */
export type Harm = (running: Running) => Promise<{ moment: string; undo?: () => void }>;

/** The repository that every trial rolls out in: magika@3.2.0 is stable, magika@3.3.0 admitted. */
export class Trials {
  /** The state folder's own; undefined where no file system may be mounted. */
  readonly disk: (SmallDisk & Disposable) | undefined;
  readonly #repository: Awaited<ReturnType<typeof aRepository>>;
  #candidate = "";
  #key = "";

  private constructor(repository: Awaited<ReturnType<typeof aRepository>>, disk: (SmallDisk & Disposable) | undefined) {
    this.#repository = repository;
    this.disk = disk;
  }

  static async open(): Promise<Trials> {
    const repository = await aRepository("magika/3.2.0", "magika/3.3.0");
    await loosen(join(repository.path, "policies"));
    const state = join(repository.path, ".sluice");
    await mkdir(state);
    const trials = new Trials(repository, mayMount ? mountSmallDisk(state, "128m") : undefined);
    try {
      await trials.#prepare(state);
      return trials;
    } catch (error) {
      await trials.close();
      throw error;
    }
  }

  /** Asked directly: the command line would come late. */
  async site(): Promise<SiteState> {
    const state = await siteStatus(join(this.#repository.path, ".sluice"));
    if (state === undefined) throw new Error("Cannot go on: the site is down");
    return state;
  }

  /** One rollout that nobody disturbs: what its journal says. */
  async undisturbed(): Promise<string[]> {
    await this.#demand("rollout", this.#candidate);
    const kinds = kindsOf(await this.#newest());
    await this.#demand("rollback");
    return kinds;
  }

  /** One rollout to which `harm` is done, and the command run again; a client asks all the while. */
  async trial(victim: string, harm: Harm): Promise<Row> {
    const client = startClient((await this.site()).address, this.#key);
    await client.answered(1);
    const running = await this.#start();
    const { moment, undo } = await harm(running);
    await running.result;
    undo?.();
    const result = await this.#converge();
    const seen = await client.stop();
    if (result === "promoted") await this.#demand("rollback");
    const { lost, isLoss } = losses(victim, seen.failures);
    const isBad = isLoss || !/^(?:promoted|aborted|paused: )/.test(result);
    return { victim, moment, result, answered: seen.answers, lost, isBad };
  }

  async close(): Promise<void> {
    await this.#run("site", "down");
    this.disk?.[Symbol.dispose]();
    await this.#repository[Symbol.asyncDispose]();
  }

  async #prepare(state: string): Promise<void> {
    await this.#demand("deploy");
    const { rollouts } = JSON.parse((await this.#demand("history", "--json")).stdout);
    this.#candidate = rollouts[0].candidate;
    this.#key = (await readFile(join(state, "secrets/api-key"), "utf8")).trim();
    await this.#demand("rollback");
  }

  async #start(): Promise<Running> {
    const before = new Set(await this.#journals());
    const { child, result } = startCli(this.#repository.path, "rollout", this.#candidate);
    for (;;) {
      const journal = (await this.#journals()).find((path) => !before.has(path));
      if (journal !== undefined) return { child, result, journal };
      if (child.exitCode !== null) throw new Error((await result).stderr);
      await setTimeout(5);
    }
  }

  /** Runs the command again, as an operator would. */
  async #converge(): Promise<string> {
    let again = await this.#run("site", "up");
    if (again.exit === 0 && resultOf(await this.#newest()) === "open") again = await this.#run("rollout");
    // 6: a canary that was killed failed its requests, and was taken back. 4: somebody has to look.
    const result = resultOf(await this.#newest());
    if (result.startsWith("paused")) await this.#run("abort");
    return again.exit === 0 || again.exit === 6 || again.exit === 4
      ? result
      : `exit ${again.exit}: ${again.stderr.trim()}`;
  }

  async #journals(): Promise<string[]> {
    const folder = join(this.#repository.path, ".sluice/rollouts/local");
    const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d{4}-/.test(name)).sort();
    return names.map((name) => join(folder, name, "journal.jsonl")).filter((path) => existsSync(path));
  }

  async #newest(): Promise<string> {
    return (await this.#journals()).at(-1) ?? "";
  }

  #run(...args: string[]): Promise<CliResult> {
    return sluice(this.#repository.path, ...args);
  }

  async #demand(...args: string[]): Promise<CliResult> {
    const ran = await this.#run(...args);
    if (ran.exit === 0) return ran;
    throw new Error(`Cannot go on: sluice ${args.join(" ")} ended with ${ran.exit}: ${ran.stderr}`);
  }
}

/** What a killed process had under way is cut; and nobody listens while the site is dead. All else is a lost request. */
const excuses: Record<string, readonly string[]> = {
  site: ["refused", "cut"],
  stable: ["cut"],
  canary: ["cut"],
  baseline: ["cut"],
};

function losses(victim: string, failures: readonly string[]): { lost: string; isLoss: boolean } {
  const kinds = Map.groupBy(failures, kindOf);
  const lost = [...kinds].map(([kind, found]) => `${found.length} ${kind}`).join(", ");
  const excused = excuses[victim] ?? [];
  return { lost, isLoss: [...kinds.keys()].some((kind) => !excused.includes(kind)) };
}

function kindOf(failure: string): string {
  if (/refused|unable to connect/i.test(failure)) return "refused";
  if (/reset|closed|revision_failed/i.test(failure)) return "cut";
  return `answered with ${failure.slice(0, 100)}`;
}
