import { type Begin, type IdempotencyStore, maxKeys, type StoredAnswer } from "./store.ts";

type Entry = { fingerprint: string; answer: StoredAnswer | undefined; endsAt: number };

/** Keeps keys in this process, for one that has no sibling. The oldest go first. */
export class MemoryStore implements IdempotencyStore {
  readonly #entries = new Map<string, Entry>();
  readonly #bound: number;

  constructor(bound = maxKeys) {
    this.#bound = bound;
  }

  begin(key: string, fingerprint: string, { now, claimEndsAt }: { now: number; claimEndsAt: number }): Begin {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.endsAt > now) {
      if (entry.answer === undefined) return { state: "running", fingerprint: entry.fingerprint };
      return { state: "done", fingerprint: entry.fingerprint, answer: entry.answer };
    }
    this.#put(key, { fingerprint, answer: undefined, endsAt: claimEndsAt });
    return { state: "begun" };
  }

  finish(key: string, answer: StoredAnswer, endsAt: number): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#put(key, { fingerprint: entry.fingerprint, answer, endsAt });
  }

  release(key: string): void {
    this.#entries.delete(key);
  }

  close(): void {
    this.#entries.clear();
  }

  #put(key: string, entry: Entry): void {
    this.#entries.delete(key); // to the end: the map is in the order of age
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#bound) return;
      this.#entries.delete(oldest);
    }
  }
}
