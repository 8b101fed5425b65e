import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Command, type Entry, type Event } from "../spec/journal.ts";
import type { Lease } from "../spec/lease.ts";
import { readJson } from "../spec/read.ts";
import { createFile } from "./durable.ts";
import { Journal } from "./journal.ts";
import { Leases } from "./lease.ts";
import type { Clock, Store } from "./ports.ts";

/** Journals, lease and commands as files below `folder`. */
export function fileStore(folder: string, clock: Clock): Store {
  const leases = new Leases(folder, clock);
  const commands = join(folder, "commands");
  const journals = new Map<string, Journal>();
  const journal = (rollout: string): Journal => {
    const found = journals.get(rollout) ?? new Journal(join(folder, rollout, "journal.jsonl"));
    journals.set(rollout, found);
    return found;
  };
  return {
    acquire: (holder) => leases.acquire(holder),
    renew: (lease) => leases.renew(lease),
    release: (lease) => leases.release(lease),
    readLease: () => leases.current(),

    listRollouts: async () => (await folders(folder)).filter((name) => /^\d{4}-/.test(name)).sort(),
    readJournal: (rollout): Promise<Entry[]> => journal(rollout).read(),
    append: async (rollout: string, lease: Lease, event: Event): Promise<Entry> => {
      await leases.check(lease);
      return journal(rollout).append(clock.now(), lease.fence, event);
    },

    pushCommand: async (command) => {
      let number = Number.parseInt((await readNames(commands)).at(-1) ?? "0", 10);
      do number += 1;
      while (!(await createFile(join(commands, nameOf(number)), `${JSON.stringify(command)}\n`)));
    },
    readCommands: async () => {
      const names = await readNames(commands);
      return Promise.all(names.map(async (id) => ({ id, command: await readJson(join(commands, id), Command) })));
    },
    forgetCommand: (id) => rm(join(commands, id), { force: true }),
  };
}

async function folders(path: string): Promise<string[]> {
  const found = await readdir(path, { withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Files of commands, oldest first. */
async function readNames(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  return names.filter((name) => /^\d{6}\.json$/.test(name)).sort();
}

function nameOf(number: number): string {
  return `${String(number).padStart(6, "0")}.json`;
}
