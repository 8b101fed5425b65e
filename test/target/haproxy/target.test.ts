import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Router, Runtime } from "../../../pipeline/src/rollout/ports.ts";
import { command } from "../../../pipeline/src/target/haproxy/control.ts";
import { parseMet } from "../../../pipeline/src/target/haproxy/show.ts";
import { openHaproxyTarget, servedByHaproxy } from "../../../pipeline/src/target/haproxy/target.ts";
import { haproxyDown, haproxyPaths } from "../../../pipeline/src/target/haproxy/up.ts";
import { refusalOf } from "../../conformance/refusal.ts";
import { routerConformance } from "../../conformance/router.ts";
import { runtimeConformance } from "../../conformance/runtime.ts";
import { isInstalled } from "../../support/external.ts";
import { aSite, type TestSite } from "../../support/site.ts";
import { countAnswers, startTraffic } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";
import { freePorts } from "./fixture.ts";

setDefaultTimeout(30_000);

type Fixture = {
  site: TestSite;
  address: string;
  reopen: (fence?: number) => Promise<Router & Runtime>;
  clear: () => Promise<void>;
};

async function aTarget(): Promise<Fixture> {
  const site = await aSite();
  const [port] = await freePorts();
  const bind = `127.0.0.1:${port}`;
  return {
    site,
    address: `http://${bind}`,
    reopen: (fence = 1) => openHaproxyTarget({ stateDir: site.stateDir, bind, workers: 1 }, { fence }),
    clear: async () => {
      await haproxyDown(join(site.stateDir, "haproxy"), { drainSeconds: 0 });
      await site.clear();
    },
  };
}

if (isInstalled("haproxy")) {
  routerConformance("HAProxy target", async () => {
    const { site, address, reopen, clear } = await aTarget();
    const router = await reopen();
    await router.start("one", await site.stage("release-1"));
    await router.start("two", await site.stage("release-2"));
    return { router, revisions: ["one", "two"], send: (requests) => countAnswers(address, requests), clear };
  });

  runtimeConformance("HAProxy target", async () => {
    const { site, reopen, clear } = await aTarget();
    const target = await reopen();
    return {
      runtime: target,
      router: target,
      good: (releaseId) => site.stage(releaseId),
      bad: async (releaseId) => ({ ...(await site.stage(releaseId, { neverReady: true })), readySeconds: 0.3 }),
      clear,
    };
  });
}

describe.skipIf(!isInstalled("haproxy"))("openHaproxyTarget()", () => {
  let it: Fixture;
  afterEach(() => it.clear());

  async function twoArms(): Promise<Router & Runtime> {
    it = await aTarget();
    const target = await it.reopen();
    await target.start("one", await it.site.stage("release-1"));
    await target.start("two", await it.site.stage("release-2"));
    await target.writeStable("one");
    await target.writeWeights({ one: 50, two: 50 });
    return target;
  }

  test("takes a revision in and another out under load without a failed request", async () => {
    const target = await twoArms();
    const traffic = startTraffic(it.address, () => ({ method: "POST", body: "x" }));
    await target.start("three", await it.site.stage("release-3"));
    await target.writeWeights({ one: 20, three: 80 });
    await traffic.more(50);
    await target.stop("two", { drainSeconds: 5 });
    await traffic.more(50);
    const { failed } = await traffic.end();
    expect(failed).toEqual([]);
    expect((await target.list()).map(({ id }) => id).sort()).toEqual(["one", "three"]);
  });

  test("finds all as it was, and goes on counting, when it is opened again", async () => {
    const target = await twoArms();
    await countAnswers(it.address, 40);
    const before = await target.readSamples();
    await haproxyDown(join(it.site.stateDir, "haproxy"), { drainSeconds: 0 });
    const again = await it.reopen();
    expect(await again.readWeights()).toEqual({ one: 50, two: 50 });
    await until("HAProxy to find both well", async () => (await countAnswers(it.address, 20)).size === 2 || undefined);
    const after = await again.readSamples();
    const sum = (samples: typeof after) => (samples.one?.requests ?? 0) + (samples.two?.requests ?? 0);
    expect(sum(after)).toBeGreaterThan(sum(before));
  });

  test("sends to a killed revision again once the site has brought it back", async () => {
    const target = await twoArms();
    const pid = (await target.list()).find(({ id }) => id === "two")?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    await until("it to be back", async () => {
      const revision = (await target.list()).find(({ id }) => id === "two");
      return (revision?.state === "ready" && revision.pid !== pid) || undefined;
    });
    await until("HAProxy to find it well", async () => (await countAnswers(it.address, 10)).has("two") || undefined);
  });

  test("keeps for the error budget what clients met, over a reload and its end, its own refusals among it", async () => {
    it = await aTarget();
    const { stateDir } = it.site;
    const target = await it.reopen();
    const ask = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${it.address}${path}`, { headers, keepalive: false })).text(); // an old connection's next answer is its old process's
    const served = () => servedByHaproxy(stateDir, 30);
    const { socket } = haproxyPaths(join(stateDir, "haproxy"));
    /** Waits until HAProxy has counted so many in its present process: it does so a moment after the answer. */
    const counted = (requests: number) =>
      until("HAProxy to count", async () => {
        const met = parseMet(await command({ path: socket }, "show stat"), "revisions");
        return met.requests === requests || undefined;
      });
    expect(await served()).toEqual({ requests: 0, errors: 0 });
    await ask("/"); // nobody is there: HAProxy's own 503
    await counted(1);
    expect(await served()).toEqual({ requests: 1, errors: 1 });
    expect(await served()).toEqual({ requests: 1, errors: 1 });

    await target.start("one", await it.site.stage("release-1"));
    await target.writeWeights({ one: 100 });
    for (let i = 0; i < 3; i++) await ask("/?status=500");
    await ask("/?status=404"); // the client's own
    await ask("/?status=500", { "x-sluice-arm": "one" }); // testers who ask for an arm are no clients
    await counted(3);
    await target.start("two", await it.site.stage("release-2")); // a reload
    for (let i = 0; i < 2; i++) await ask("/");
    await counted(2);
    await haproxyDown(join(stateDir, "haproxy"), { drainSeconds: 0 });
    expect(await served()).toEqual({ requests: 6, errors: 4 });
  });

  test("refuses a holder that was overtaken, before HAProxy hears of it", async () => {
    const target = await twoArms();
    const newer = await it.reopen(5);
    await newer.writeWeights({ one: 100 });
    await refusalOf(target.writeWeights({ two: 100 }), "E_LEASE");
    expect(await newer.readWeights()).toEqual({ one: 100 });
  });
});
