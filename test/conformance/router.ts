import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Router } from "../../pipeline/src/rollout/ports.ts";
import { refusalOf } from "./refusal.ts";

/** A router with two ready revisions, neither with weight yet. */
export type RouterSubject = {
  router: Router;
  revisions: readonly [string, string];
  /** Sends requests through the router, as fast as it likes; tells how many each revision answered. */
  send: (requests: number) => Promise<Map<string, number>>;
  clear: () => Promise<void>;
};

/** What the rollout relies on in every router. */
export function routerConformance(name: string, create: () => Promise<RouterSubject>): void {
  describe(`${name} as router`, () => {
    let it: RouterSubject;
    let one: string;
    let two: string;
    beforeEach(async () => {
      it = await create();
      [one, two] = it.revisions;
    });
    afterEach(() => it.clear());

    test("readWeights() is empty before the first weights", async () => {
      expect(await it.router.readWeights()).toEqual({});
    });

    test("writeWeights() is read back, a second time too", async () => {
      await it.router.writeWeights({ [one]: 90, [two]: 10 });
      await it.router.writeWeights({ [one]: 90, [two]: 10 });
      expect(await it.router.readWeights()).toEqual({ [one]: 90, [two]: 10 });
    });

    test("writeWeights() replaces all earlier weights", async () => {
      await it.router.writeWeights({ [one]: 100 });
      await it.router.writeWeights({ [two]: 100 });
      expect(await it.router.readWeights()).toEqual({ [two]: 100 });
      expect((await it.send(20)).get(two)).toBe(20);
    });

    test("writeWeights() refuses an unknown revision and changes nothing", async () => {
      await it.router.writeWeights({ [one]: 100 });
      const error = await refusalOf(it.router.writeWeights({ [one]: 50, nobody: 50 }), "E_STATE");
      expect(error.message).toContain("nobody");
      expect(await it.router.readWeights()).toEqual({ [one]: 100 });
    });

    test("a revision without weight gets no request", async () => {
      await it.router.writeWeights({ [one]: 100, [two]: 0 });
      expect((await it.send(50)).get(two) ?? 0).toBe(0);
    });

    test("requests are split by weight", async () => {
      await it.router.writeWeights({ [one]: 75, [two]: 25 });
      const requests = 1_000;
      const share = ((await it.send(requests)).get(two) ?? 0) / requests;
      // Five standard deviations of a fair draw are 0.068: one run in a million and a half leaves them.
      expect(Math.abs(share - 0.25)).toBeLessThan(0.07);
    });

    test("readSamples() counts what each revision answered, with its latency", async () => {
      await it.router.writeWeights({ [one]: 50, [two]: 50 });
      const answered = await it.send(200);
      const samples = await it.router.readSamples();
      for (const id of [one, two]) {
        const sample = samples[id];
        expect(sample?.requests).toBe(answered.get(id) ?? 0);
        expect(sample?.errors).toBe(0);
        expect(sample?.latency.reduce((sum, [, count]) => sum + count, 0)).toBe(answered.get(id) ?? 0);
      }
    });

    test("readSamples() is cumulative: weights do not begin it anew", async () => {
      await it.router.writeWeights({ [one]: 100 });
      await it.send(20);
      await it.router.writeWeights({ [two]: 100 });
      await it.send(5);
      await it.router.writeWeights({ [one]: 100 });
      await it.send(20);
      expect((await it.router.readSamples())[one]?.requests).toBe(40);
    });

    test("readSamples() shows a revision with weight before its first request", async () => {
      await it.router.writeWeights({ [one]: 100 });
      expect((await it.router.readSamples())[one]).toEqual({ requests: 0, errors: 0, clientErrors: 0, latency: [] });
    });
  });
}
