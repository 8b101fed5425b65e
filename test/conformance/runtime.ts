import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Router, Runtime } from "../../pipeline/src/rollout/ports.ts";
import type { StartRevision } from "../../pipeline/src/spec/site.ts";
import { refusalOf } from "./refusal.ts";

/** A runtime with nothing in it. */
export type RuntimeSubject = {
  runtime: Runtime;
  router: Router;
  /** A release that starts. */
  good: (releaseId: string) => Promise<StartRevision>;
  /** A release that never becomes ready. */
  bad: (releaseId: string) => Promise<StartRevision>;
  clear: () => Promise<void>;
};

/** What the rollout relies on in every runtime. */
export function runtimeConformance(name: string, create: () => Promise<RuntimeSubject>): void {
  describe(`${name} as runtime`, () => {
    let it: RuntimeSubject;
    beforeEach(async () => {
      it = await create();
    });
    afterEach(() => it.clear());

    test("list() is empty at first, and there is no stable", async () => {
      expect(await it.runtime.list()).toEqual([]);
      expect(await it.runtime.readStable()).toBeUndefined();
    });

    test("start() returns a ready revision that list() shows", async () => {
      const revision = await it.runtime.start("one", await it.good("release-1"));
      expect(revision).toMatchObject({ id: "one", releaseId: "release-1", state: "ready", restarts: 0 });
      expect(await it.runtime.list()).toEqual([revision]);
    });

    test("start() a second time finds the same revision", async () => {
      const wanted = await it.good("release-1");
      const first = await it.runtime.start("one", wanted);
      expect(await it.runtime.start("one", wanted)).toEqual(first);
    });

    test("start() refuses an id that serves another release", async () => {
      await it.runtime.start("one", await it.good("release-1"));
      await refusalOf(it.runtime.start("one", await it.good("release-2")), "E_STATE");
      expect((await it.runtime.list())[0]?.releaseId).toBe("release-1");
    });

    test("start() throws for a release that never becomes ready, and leaves nothing of it", async () => {
      const error = await refusalOf(it.runtime.start("one", await it.bad("release-1")), "E_STATE");
      expect(error.message).toContain("one");
      expect(await it.runtime.list()).toEqual([]);
    });

    test("two revisions of one release run side by side", async () => {
      const wanted = await it.good("release-1");
      await it.runtime.start("one", wanted);
      await it.runtime.start("two", wanted);
      expect((await it.runtime.list()).map(({ id }) => id).sort()).toEqual(["one", "two"]);
      expect(await it.runtime.addressOf("one")).not.toBe(await it.runtime.addressOf("two"));
    });

    test("addressOf() refuses an unknown revision", async () => {
      await refusalOf(it.runtime.addressOf("nobody"), "E_STATE");
    });

    test("stop() ends a revision; an unknown one is done already", async () => {
      await it.runtime.start("one", await it.good("release-1"));
      await it.runtime.stop("one", { drainSeconds: 1 });
      await it.runtime.stop("one", { drainSeconds: 1 });
      expect(await it.runtime.list()).toEqual([]);
    });

    test("stop() refuses a revision with weight", async () => {
      await it.runtime.start("one", await it.good("release-1"));
      await it.router.writeWeights({ one: 100 });
      await refusalOf(it.runtime.stop("one", { drainSeconds: 1 }), "E_STATE");
      expect((await it.runtime.list()).map(({ state }) => state)).toEqual(["ready"]);
    });

    test("stop() refuses stable", async () => {
      await it.runtime.start("one", await it.good("release-1"));
      await it.runtime.writeStable("one");
      await refusalOf(it.runtime.stop("one", { drainSeconds: 1 }), "E_STATE");
    });

    test("writeStable() is read back; an unknown revision is refused", async () => {
      await it.runtime.start("one", await it.good("release-1"));
      await it.runtime.writeStable("one");
      await refusalOf(it.runtime.writeStable("nobody"), "E_STATE");
      expect(await it.runtime.readStable()).toBe("one");
    });
  });
}
