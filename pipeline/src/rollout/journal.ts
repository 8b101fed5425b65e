import { readFile, truncate } from "node:fs/promises";
import { digestBytes } from "../release/digest.ts";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import { Entry, type Event } from "../spec/journal.ts";
import { appendDurably } from "./durable.ts";

/** Where the next entry goes: its number, and the digest of the line before it. */
interface Tail {
  seq: number;
  previous: Digest;
}

const start: Tail = { seq: 0, previous: `sha256:${"0".repeat(64)}` };

/**
 * An append-only file of JSON lines, each with the digest of the line before. Reading checks the chain: a last line
 * without its newline was torn by a crash and is cut off; a line of an overtaken lease holder (a smaller fence) is
 * passed over; any other damage is refused, for no crash makes it.
 */
export class Journal {
  readonly #path: string;
  /** Known after the first reading; only the holder of the lease appends, so it stays true. */
  #tail: Tail | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<Entry[]> {
    const entries: Entry[] = [];
    let tail = start;
    for (const [i, line] of (await readLines(this.#path)).entries()) {
      const entry = parse(line, this.#path, i + 1);
      if (entry.fence < (entries.at(-1)?.fence ?? 0)) continue;
      if (entry.seq !== tail.seq || entry.previous !== tail.previous) {
        throw broken(this.#path, i + 1, "an entry before it was changed, removed or added");
      }
      entries.push(entry);
      tail = after(tail, line);
    }
    this.#tail = tail;
    return entries;
  }

  /** Returns the event's entry once it is on the disk. `at` is in milliseconds since the epoch. */
  async append(at: number, fence: number, event: Event): Promise<Entry> {
    if (this.#tail === undefined) await this.read();
    const tail = this.#tail ?? start;
    const entry: Entry = { ...tail, at: new Date(at).toISOString(), fence, event };
    const line = JSON.stringify(entry);
    this.#tail = undefined; // a write that fails may leave a part of a line: the next one reads again
    await appendDurably(this.#path, `${line}\n`);
    this.#tail = after(tail, line);
    return entry;
  }
}

function after(tail: Tail, line: string): Tail {
  return { seq: tail.seq + 1, previous: digestBytes(line) };
}

/** The file's whole lines; a torn last one is cut from the file too, so that the next append starts a line. */
async function readLines(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Uint8Array();
    throw error;
  });
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) await truncate(path, end);
  return new TextDecoder().decode(bytes.subarray(0, end)).split("\n").slice(0, -1);
}

function parse(line: string, path: string, number: number): Entry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw broken(path, number, "it is not JSON");
  }
  const result = Entry.safeParse(value);
  if (!result.success) throw broken(path, number, result.error.issues[0]?.message ?? "it is not an entry");
  return result.data;
}

function broken(path: string, line: number, reason: string): DeployError {
  return new DeployError(
    "E_FILE",
    `Cannot use journal ${path}:${line}: ${reason}; next: restore the file from a backup`,
  );
}
