import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Begin, type IdempotencyStore, maxKeys, type StoredAnswer } from "./store.ts";

const Row = z.strictObject({
  fingerprint: z.string(),
  status: z.int().nullable(),
  headers: z.string().nullable(),
  contentType: z.string().nullable(),
  body: z.instanceof(Uint8Array).nullable(),
});
const Headers = z.record(z.string(), z.string());

const schema = `
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma busy_timeout = 1000;
  create table if not exists answers (
    key text primary key, fingerprint text not null, endsAt integer not null, changed integer not null,
    status integer, headers text, contentType text, body blob
  ) without rowid;
  create index if not exists answers_by_age on answers (changed);
`;

/** Keeps keys in a file, so that the processes of one host share them and a restart forgets none. */
export class SqliteStore implements IdempotencyStore {
  readonly #database: DatabaseSync;
  readonly #bound: number;

  constructor(database: DatabaseSync, bound = maxKeys) {
    this.#database = database;
    this.#bound = bound;
    database.exec(schema);
  }

  begin(key: string, fingerprint: string, { now, claimEndsAt }: { now: number; claimEndsAt: number }): Begin {
    const claim = `insert into answers (key, fingerprint, endsAt, changed) values (?, ?, ?, ?)
      on conflict (key) do update set fingerprint = excluded.fingerprint, endsAt = excluded.endsAt, changed = excluded.changed,
        status = null, headers = null, contentType = null, body = null where answers.endsAt <= ?`;
    const { changes } = this.#database.prepare(claim).run(key, fingerprint, claimEndsAt, now, now);
    if (Number(changes) === 1) {
      this.#trim();
      return { state: "begun" };
    }
    const found = this.#database
      .prepare("select fingerprint, status, headers, contentType, body from answers where key = ?")
      .get(key);
    if (found === undefined) return this.begin(key, fingerprint, { now, claimEndsAt }); // released in between
    return stateOf(Row.parse({ ...found }));
  }

  finish(key: string, { status, headers, contentType, body }: StoredAnswer, endsAt: number): void {
    this.#database
      .prepare("update answers set endsAt = ?, status = ?, headers = ?, contentType = ?, body = ? where key = ?")
      .run(endsAt, status, JSON.stringify(headers), contentType, body, key);
  }

  release(key: string): void {
    this.#database.prepare("delete from answers where key = ?").run(key);
  }

  close(): void {
    this.#database.close();
  }

  #trim(): void {
    const oldest = "select key from answers order by changed desc limit -1 offset ?";
    this.#database.prepare(`delete from answers where key in (${oldest})`).run(this.#bound);
  }
}

/** Opens or makes the file. The module is loaded only here: not every Node has it. */
export async function openSqliteStore(path: string): Promise<SqliteStore> {
  const sqlite = await import("node:sqlite");
  return new SqliteStore(new sqlite.DatabaseSync(path));
}

function stateOf({ fingerprint, status, headers, contentType, body }: z.infer<typeof Row>): Begin {
  if (status === null || headers === null || contentType === null || body === null) {
    return { state: "running", fingerprint };
  }
  const answer = { status, contentType, headers: Headers.parse(JSON.parse(headers)), body: new Uint8Array(body) };
  return { state: "done", fingerprint, answer };
}
