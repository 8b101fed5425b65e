import { expect, test } from "bun:test";
import type { IdempotencyStore, StoredAnswer } from "../../service/src/idempotency/store.ts";

const answer: StoredAnswer = {
  status: 200,
  contentType: "application/json",
  headers: { "inference-header-content-length": "7" },
  body: Uint8Array.of(0, 1, 255),
};
const times = { now: 1_000, claimEndsAt: 2_000 };

/** What every `IdempotencyStore` does; `open` makes an empty one that keeps at most `bound` keys. */
export function idempotencyStoreSuite(name: string, open: (bound: number) => Promise<IdempotencyStore>): void {
  const named = (criterion: string, run: (store: IdempotencyStore) => void, bound = 10) =>
    test(`${name} ${criterion}`, async () => {
      const store = await open(bound);
      try {
        run(store);
      } finally {
        store.close();
      }
    });

  named("begins a key once", (store) => {
    expect(store.begin("a", "f", times)).toEqual({ state: "begun" });
    expect(store.begin("a", "g", times)).toEqual({ state: "running", fingerprint: "f" });
    expect(store.begin("b", "f", times)).toEqual({ state: "begun" });
  });

  named("gives the answer of a finished key, every byte and header", (store) => {
    store.begin("a", "f", times);
    store.finish("a", answer, 5_000);
    expect(store.begin("a", "g", { now: 4_999, claimEndsAt: 9_000 })).toEqual({
      state: "done",
      fingerprint: "f",
      answer,
    });
  });

  named("forgets an answer at its end", (store) => {
    store.begin("a", "f", times);
    store.finish("a", answer, 5_000);
    expect(store.begin("a", "g", { now: 5_000, claimEndsAt: 9_000 })).toEqual({ state: "begun" });
    expect(store.begin("a", "f", { now: 5_001, claimEndsAt: 9_000 })).toEqual({ state: "running", fingerprint: "g" });
  });

  named("takes over a claim that nobody finished", (store) => {
    store.begin("a", "f", times);
    expect(store.begin("a", "g", { now: 2_000, claimEndsAt: 3_000 })).toEqual({ state: "begun" });
  });

  named("begins a released key anew", (store) => {
    store.begin("a", "f", times);
    store.release("a");
    expect(store.begin("a", "g", times)).toEqual({ state: "begun" });
  });

  named("does not finish a key that was not begun", (store) => {
    store.finish("a", answer, 5_000);
    expect(store.begin("a", "f", times)).toEqual({ state: "begun" });
  });

  named(
    "keeps no more keys than its bound, the youngest",
    (store) => {
      for (let i = 0; i < 5; i += 1) store.begin(`key${i}`, "f", { now: 1_000 + i, claimEndsAt: 2_000 });
      expect(store.begin("key4", "f", { now: 1_500, claimEndsAt: 2_000 }).state).toBe("running");
      expect(store.begin("key0", "f", { now: 1_500, claimEndsAt: 2_000 }).state).toBe("begun");
    },
    3,
  );
}
