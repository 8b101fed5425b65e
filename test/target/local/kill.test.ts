import { describe, expect, test } from "bun:test";
import type { Router, Runtime } from "../../../pipeline/src/rollout/ports.ts";
import type { StartRevision } from "../../../pipeline/src/spec/site.ts";
import { openSite } from "../../../pipeline/src/target/local/client.ts";
import { findStrays } from "../../../pipeline/src/target/local/strays.ts";
import { siteStatus } from "../../../pipeline/src/target/local/up.ts";
import { aSite, type TestSite } from "../../support/site.ts";
import { startTraffic } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";

type Call = (target: Router & Runtime, release: StartRevision) => Promise<unknown>;

/** Each call that changes the site, in the order of a rollout; `three` is the newcomer. */
const calls: [string, Call][] = [
  ["start", (target, release) => target.start("three", release)],
  ["writeWeights", (target) => target.writeWeights({ one: 50, three: 50 })],
  ["shift all", (target) => target.writeWeights({ three: 100 })],
  ["writeStable", (target) => target.writeStable("three")],
  ["stop", (target) => target.stop("one", { drainSeconds: 5 })],
];

async function kill(site: TestSite): Promise<void> {
  const state = await siteStatus(site.stateDir);
  if (state === undefined) throw new Error("no site to kill");
  process.kill(state.pid, "SIGKILL");
  await until("the site to be gone", async () => ((await siteStatus(site.stateDir)) === undefined ? true : undefined));
}

describe("a site killed in the middle of a call", () => {
  // Milliseconds between the call and the kill: before it arrives, while it acts, after it is done.
  test.each([0, 1, 3, 10, 40])(
    "%i ms after each one: done again, it is as it should be",
    async (delayMs) => {
      const site = await aSite();
      await site.up();
      const target = openSite(site.stateDir, { fence: 1 });
      await target.start("one", await site.stage("release-1"));
      await target.writeStable("one");
      await target.writeWeights({ one: 100 });
      const release = await site.stage("release-3");
      for (const [, call] of calls) {
        const cut = call(target, release).catch(() => undefined);
        await Bun.sleep(delayMs);
        await kill(site);
        await cut;
        await site.up();
        await call(target, release);
      }
      expect(await target.readWeights()).toEqual({ three: 100 });
      expect(await target.readStable()).toBe("three");
      const [revision, ...others] = await target.list();
      expect(revision).toMatchObject({ id: "three", state: "ready" });
      expect(others).toEqual([]);
      const { address } = await site.up();
      const traffic = startTraffic(address);
      await traffic.more(20);
      expect((await traffic.end()).failed).toEqual([]);
      expect(await findStrays(`${site.stateDir}/site/ready`)).toEqual([revision?.pid ?? 0]);
      await site.clear();
    },
    60_000,
  );
});
