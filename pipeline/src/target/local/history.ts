import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { armHeader } from "./headers.ts";
import type { Forward } from "./proxy.ts";

/** What clients met: answers that speak about the service (4xx do not), and those of them that were errors (5xx). */
export type Met = { requests: number; errors: number };

const hourMs = 3_600_000;
const keptHours = 400 * 24;
const keptCounters = 100;

const schema = `
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma busy_timeout = 2000;
  create table if not exists served (hour integer primary key, requests integer not null, errors integer not null);
  create table if not exists counter (generation text primary key, requests integer not null, errors integer not null);
`;
const add = `insert into served (hour, requests, errors) values (?, ?, ?) on conflict (hour)
  do update set requests = requests + excluded.requests, errors = errors + excluded.errors`;
const Sum = z.object({ requests: z.int(), errors: z.int() });

/**
 * The site's own history, by the hour, for its error budget: it outlives revisions and sites. Two sites may add to it at
 * once, as they do while one takes over from the other.
 */
export class History {
  readonly #database: DatabaseSync;
  #unsaved: Met = { requests: 0, errors: 0 };

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(schema);
  }

  /** Counts one answer that a client got. */
  count(status: number): void {
    if (status >= 400 && status < 500) return;
    this.#unsaved.requests += 1;
    if (status >= 500) this.#unsaved.errors += 1;
  }

  /** Writes down what was counted since the last time; `now` is milliseconds since the epoch. */
  save(now: number): void {
    if (this.#unsaved.requests === 0) return;
    enter(this.#database, this.#unsaved, now);
    this.#unsaved = { requests: 0, errors: 0 };
  }

  close(): void {
    this.#database.close();
  }
}

function enter(database: DatabaseSync, { requests, errors }: Met, now: number): void {
  const hour = Math.floor(now / hourMs);
  database.prepare(add).run(hour, requests, errors);
  database.prepare("delete from served where hour < ?").run(hour - keptHours);
}

/** What somebody else's counter stands at. One of another `generation` began at zero. */
export type Counter = Met & { generation: string };

/** Enters at `now` what a counter has gone up by since it was entered last. Two may do it at once: each count is taken once. */
export function addCounter(path: string, { generation, ...met }: Counter, now: number): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(`${schema} begin immediate`);
    const row = database.prepare("select requests, errors from counter where generation = ?").get(generation);
    const seen = row === undefined ? { requests: 0, errors: 0 } : Sum.parse(row);
    const more = (name: keyof Met) => Math.max(0, met[name] - seen[name]);
    enter(database, { requests: more("requests"), errors: more("errors") }, now);
    const stands = [Math.max(met.requests, seen.requests), Math.max(met.errors, seen.errors)];
    database.prepare("insert or replace into counter values (?, ?, ?)").run(generation, ...stands);
    database.exec(`delete from counter where rowid <= last_insert_rowid() - ${keptCounters}; commit`);
  } finally {
    database.close(); // without a commit nothing was done
  }
}

/** What clients met in the last `days`; nothing on a site that never served. */
export function readHistory(path: string, { days, now }: { days: number; now: number }): Met {
  if (!existsSync(path)) return { requests: 0, errors: 0 };
  const database = new DatabaseSync(path);
  try {
    database.exec(schema);
    const total = "select coalesce(sum(requests), 0) as requests, coalesce(sum(errors), 0) as errors from served";
    return Sum.parse(database.prepare(`${total} where hour > ?`).get(Math.floor(now / hourMs) - days * 24));
  } finally {
    database.close();
  }
}

/** A router whose answers are counted, but for those of testers who ask for an arm. */
export function countedBy(history: History, forward: Forward): Forward {
  return async (request, peer) => {
    const answer = await forward(request, peer);
    if (!request.headers.has(armHeader)) history.count(answer.status);
    return answer;
  };
}
