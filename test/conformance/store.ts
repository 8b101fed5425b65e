import { expect, test } from "bun:test";
import type { Store } from "../../pipeline/src/rollout/ports.ts";
import type { Event } from "../../pipeline/src/spec/journal.ts";

/** A store under test: `lapse` lets every lease run out, `reopen` is what the next process sees. */
export interface StoreUnderTest extends AsyncDisposable {
  store: Store;
  reopen(): Store;
  lapse(): void;
}

const event: Event = { kind: "paused", reason: "because" };

/** What every `Store` keeps to. */
export function storeConformance(name: string, create: () => Promise<StoreUnderTest>): void {
  const rollout = "2026-01-01T000000-x";

  test(`${name}: acquire() gives a growing fence, also after release()`, async () => {
    await using under = await create();
    const first = await under.store.acquire("a");
    await under.store.release(first);
    const second = await under.reopen().acquire("b");
    expect(second.fence).toBeGreaterThan(first.fence);
  });

  test(`${name}: acquire() names the holder while the lease is held`, async () => {
    await using under = await create();
    await under.store.acquire("first@elsewhere:1");
    await expect(under.reopen().acquire("second@elsewhere:2")).rejects.toMatchObject({
      code: "E_LEASE",
      message: expect.stringContaining("first@elsewhere:1"),
    });
  });

  test(`${name}: only one of many takers at once gets the lease`, async () => {
    await using under = await create();
    const takers = Array.from({ length: 8 }, (_, i) => under.reopen().acquire(`taker@elsewhere:${i}`));
    const results = await Promise.allSettled(takers);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  });

  test(`${name}: a stale lease is taken over, and its old holder's writes are refused`, async () => {
    await using under = await create();
    const old = await under.store.acquire("zombie@elsewhere:1");
    await under.store.append(rollout, old, event);
    under.lapse();
    const other = under.reopen();
    const lease = await other.acquire("heir@elsewhere:2");
    await other.append(rollout, lease, event);
    await expect(under.store.append(rollout, old, event)).rejects.toMatchObject({ code: "E_LEASE" });
    await expect(under.store.renew(old)).rejects.toMatchObject({ code: "E_LEASE" });
    expect(await other.readJournal(rollout)).toHaveLength(2);
  });

  test(`${name}: renew() keeps a lease that would have lapsed`, async () => {
    await using under = await create();
    const lease = await under.store.acquire("holder@elsewhere:1");
    under.lapse();
    await under.store.renew(lease);
    await expect(under.reopen().acquire("other@elsewhere:2")).rejects.toMatchObject({ code: "E_LEASE" });
  });

  test(`${name}: append() numbers entries, and the next process reads them back`, async () => {
    await using under = await create();
    const lease = await under.store.acquire("a");
    await under.store.append(rollout, lease, event);
    await under.store.append(rollout, lease, { kind: "closed", result: "aborted", reason: "so" });
    const entries = await under.reopen().readJournal(rollout);
    expect(entries.map((entry) => [entry.seq, entry.event.kind])).toEqual([
      [0, "paused"],
      [1, "closed"],
    ]);
    expect(await under.reopen().listRollouts()).toEqual([rollout]);
  });

  test(`${name}: commands come back in order until they are forgotten`, async () => {
    await using under = await create();
    await under.store.pushCommand({ command: "pause", by: "a", reason: "one" });
    await under.store.pushCommand({ command: "resume", by: "a", reason: "two" });
    const found = await under.reopen().readCommands();
    expect(found.map(({ command }) => command.reason)).toEqual(["one", "two"]);
    await under.store.forgetCommand(found[0]?.id ?? "");
    expect((await under.store.readCommands()).map(({ command }) => command.reason)).toEqual(["two"]);
  });
}
