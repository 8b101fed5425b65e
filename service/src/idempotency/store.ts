/** An answer that was given, to be given again. */
export type StoredAnswer = {
  status: number;
  contentType: string;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
};

/** What a store knows of a key: `begun` by this very call, `running` elsewhere, or `done`. */
export type Begin =
  | { state: "begun" }
  | { state: "running"; fingerprint: string }
  | { state: "done"; fingerprint: string; answer: StoredAnswer };

/** Times are milliseconds since the epoch. Every implementation passes `test/conformance/idempotency.ts`. */
export type IdempotencyStore = {
  /** Takes the key, or tells who has it: atomically, so that of two calls one begins. A claim nobody finishes ends at `claimEndsAt`. */
  begin(key: string, fingerprint: string, times: { now: number; claimEndsAt: number }): Begin;
  /** Keeps the answer of a key that was begun until `endsAt`; drops the oldest beyond the store's bound. */
  finish(key: string, answer: StoredAnswer, endsAt: number): void;
  /** Gives up a key that was begun: its answer is not worth keeping. */
  release(key: string): void;
  close(): void;
};

/** Keys that a store keeps at most. */
export const maxKeys = 10_000;
