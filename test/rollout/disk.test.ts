import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../pipeline/src/rollout/durable.ts";
import { fileStore } from "../../pipeline/src/rollout/file-store.ts";
import { Journal } from "../../pipeline/src/rollout/journal.ts";
import type { Store } from "../../pipeline/src/rollout/ports.ts";
import type { Event } from "../../pipeline/src/spec/journal.ts";
import { VirtualClock } from "../support/clock.ts";
import { FakeTarget } from "../support/fake-target.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomFrom } from "../support/random.ts";
import { arms, rollout, runRollout, serving } from "../support/rollout.ts";
import { aSmallDisk, mayMount } from "../support/small-disk.ts";

const paused = (reason: string): Event => ({ kind: "paused", reason });

describe.skipIf(!mayMount)("on a disk that is full", () => {
  test("Journal.append() says so, and goes on without a gap once there is room", async () => {
    await using disk = await aSmallDisk("256k");
    const path = join(disk.path, "journal.jsonl");
    const journal = new Journal(path);
    await journal.append(0, 1, paused("before"));
    await disk.fill();
    const long = "x".repeat(10_000);
    await expect(journal.append(1, 1, paused(long))).rejects.toMatchObject({
      code: "E_STATE",
      message: expect.stringContaining("no space is left"),
    });
    disk.empty();
    await journal.append(2, 1, paused("after"));
    const entries = await new Journal(path).read();
    expect(entries.map(({ event }) => event)).toEqual([paused("before"), paused("after")]);
  });

  test("replaceFile() leaves the old file whole, and nothing beside it", async () => {
    await using disk = await aSmallDisk("256k");
    const path = join(disk.path, "state.json");
    await replaceFile(path, "old");
    await disk.fill();
    await expect(replaceFile(path, "x".repeat(10_000))).rejects.toMatchObject({ code: "E_STATE" });
    expect(await Bun.file(path).text()).toBe("old");
    expect((await readdir(disk.path)).sort()).toEqual(["filler", "state.json"]);
  });
});

describe("on a disk that is slow", () => {
  /** A store whose every append takes `ms` of the clock before it is done. */
  const slow =
    (clock: VirtualClock, ms: number) =>
    (store: Store): Store => ({
      ...store,
      append: async (...entry) => {
        clock.advance(ms);
        return store.append(...entry);
      },
    });

  test("run() promotes as it would elsewhere", async () => {
    await using folder = await temporaryFolder();
    const clock = new VirtualClock();
    const target = await serving(new FakeTarget({ onRead: (it) => void it.send(100), random: randomFrom(1) }));
    const state = await runRollout({ target, folder: folder.path, clock, wrap: slow(clock, 2_000) });
    expect(state.closed?.result).toBe("promoted");
    expect(await target.readWeights()).toEqual({ [arms.canary]: 100 });
  });

  test("a holder that lost the lease while it waited for the disk writes nothing more", async () => {
    await using folder = await temporaryFolder();
    const clock = new VirtualClock();
    const store = fileStore(folder.path, clock);
    const zombie = await store.acquire("slow@elsewhere:1");
    await store.append(rollout, zombie, paused("before"));
    clock.advance(20_000);
    const next = await store.acquire("next@elsewhere:2");
    await expect(store.append(rollout, zombie, paused("zombie"))).rejects.toMatchObject({ code: "E_LEASE" });
    await store.append(rollout, next, paused("after"));
    expect((await store.readJournal(rollout)).map(({ event }) => event)).toEqual([paused("before"), paused("after")]);
  });
});
