import { afterEach, describe, expect, test } from "bun:test";
import { command } from "../../../pipeline/src/target/haproxy/control.ts";
import { openHaproxy } from "../../../pipeline/src/target/haproxy/router.ts";
import { parseGeneration, parseStat } from "../../../pipeline/src/target/haproxy/show.ts";
import { haproxyPaths, haproxyPid, haproxyUp, haproxyWrite } from "../../../pipeline/src/target/haproxy/up.ts";
import { refusalOf } from "../../conformance/refusal.ts";
import { routerConformance } from "../../conformance/router.ts";
import { isInstalled } from "../../support/external.ts";
import { countAnswers, startTraffic } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";
import { aHaproxy, type HaproxyFixture } from "./fixture.ts";

const open: HaproxyFixture[] = [];
async function haproxy(handlers: Parameters<typeof aHaproxy>[0]): Promise<HaproxyFixture> {
  const it = await aHaproxy(handlers);
  open.push(it);
  return it;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((it) => it.close()));
});

const twoArms = { one: () => new Response("one"), two: () => new Response("two") };

if (isInstalled("haproxy")) {
  routerConformance("HAProxy", async () => {
    const it = await aHaproxy(twoArms);
    return {
      router: it.router,
      revisions: ["one", "two"],
      send: (requests) => countAnswers(it.address, requests),
      clear: it.close,
    };
  });
}

describe.skipIf(!isInstalled("haproxy"))("HAProxy", () => {
  test("is driven over TCP as over its socket", async () => {
    const it = await haproxy(twoArms);
    const remote = openHaproxy({ control: it.control, samplesFile: haproxyPaths(it.folder).samples });
    await remote.writeWeights({ one: 30, two: 70 });
    expect(await it.router.readWeights()).toEqual({ one: 30, two: 70 });
  });

  test("counts errors that a revision answered and those that it made", async () => {
    const it = await haproxy({
      one: (request) => new Response("", { status: Number(new URL(request.url).searchParams.get("status") ?? 200) }),
    });
    await it.router.writeWeights({ one: 100 });
    const statuses = [200, 200, 404, 500, 503];
    for (const status of statuses) await fetch(`${it.address}/?status=${status}`);
    await it.kill("one");
    expect((await fetch(it.address)).status).toBe(503);
    const sample = (await it.router.readSamples()).one;
    expect(sample).toMatchObject({ clientErrors: 1 });
    expect(sample?.latency.reduce((sum, [, count]) => sum + count, 0)).toBe(2);
    expect(sample?.errors).toBeGreaterThanOrEqual(3);
    expect((sample?.requests ?? 0) - (sample?.errors ?? 0)).toBe(2);
  });

  test("tells latency at three digits", async () => {
    const it = await haproxy({
      one: async () => {
        await Bun.sleep(30);
        return new Response("one");
      },
    });
    await it.router.writeWeights({ one: 100 });
    const since = performance.now();
    await fetch(it.address);
    const tookMicros = (performance.now() - since) * 1_000;
    const edge = (await it.router.readSamples()).one?.latency[0]?.[0] ?? 0;
    expect(edge).toBeGreaterThanOrEqual(29_000);
    expect(edge).toBeLessThanOrEqual(tookMicros * 1.01);
  });

  test("lets a tester choose the revision, uncounted, and no unknown one", async () => {
    const it = await haproxy(twoArms);
    await it.router.writeWeights({ one: 100 });
    const before = await it.router.readSamples();
    expect(await (await fetch(it.address, { headers: { "x-sluice-arm": "two" } })).text()).toBe("two");
    expect(await it.router.readSamples()).toEqual(before);
    const unknown = await fetch(it.address, { headers: { "x-sluice-arm": "nobody" } });
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get("content-type")).toBe("application/problem+json");
  });

  test("changes weights and reloads under load without a failed request, and no count becomes smaller", async () => {
    const it = await haproxy(twoArms);
    await it.router.writeWeights({ one: 50, two: 50 });
    const traffic = startTraffic(it.address, () => ({ method: "POST", body: "x" }));
    let counted = 0;
    for (let change = 0; change < 5; change += 1) {
      await it.router.writeWeights({ one: 10 * change, two: 100 - 10 * change });
      await traffic.more(100);
      const samples = await it.router.readSamples();
      const now = (samples.one?.requests ?? 0) + (samples.two?.requests ?? 0);
      expect(now).toBeGreaterThan(counted);
      counted = now;
      await it.reload();
      expect(await it.router.readWeights()).toEqual(
        change === 0 ? { two: 100 } : { one: 10 * change, two: 100 - 10 * change },
      );
      await traffic.more(100);
    }
    const { sent, failed } = await traffic.end();
    expect(failed).toEqual([]);
    expect(sent).toBeGreaterThan(1_000);
  }, 30_000);

  test("sends what a dead revision refused to another one", async () => {
    const it = await haproxy(twoArms);
    await it.router.writeWeights({ one: 50, two: 50 });
    await it.kill("one");
    const answers = await countAnswers(it.address, 40);
    expect(answers.get("two")).toBe(40);
  });

  test("drain() waits for the requests under way, and says when they do not end", async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const two = async (request: Request) => {
      if (new URL(request.url).pathname !== "/slow") return new Response("two");
      arrived.resolve();
      await release.promise;
      return new Response("two");
    };
    const it = await haproxy({ ...twoArms, two });
    await it.router.writeWeights({ two: 100 });
    const slow = fetch(`${it.address}/slow`);
    await arrived.promise;
    await it.router.writeWeights({ one: 100 });
    await refusalOf(it.router.drain("two", 0.1), "E_STATE");
    release.resolve();
    await it.router.drain("two", 10);
    expect(await (await slow).text()).toBe("two");
  });

  test("goes on as it was when a new configuration is refused", async () => {
    const it = await haproxy(twoArms);
    await it.router.writeWeights({ one: 100 });
    const broken = { folder: it.folder, bind: "nonsense", servers: [] };
    const error = await refusalOf(haproxyUp(broken), "E_FILE");
    expect(error.message).toContain("nonsense");
    expect(await (await fetch(it.address)).text()).toBe("one");
    await it.reload();
    expect(await (await fetch(it.address)).text()).toBe("one");
  });

  test.each([
    ["another revision", [{ id: "three", host: "127.0.0.1", port: 9, weight: 0 }]],
    ["a revision at another address", [{ id: "one", host: "127.0.0.1", port: 9, weight: 0 }]],
  ])("is told of %s that was written down before somebody was killed", async (_, servers) => {
    const it = await haproxy({ one: () => new Response("one") });
    const wanted = { ...it.place, servers };
    await haproxyWrite(wanted);
    await haproxyUp(wanted);
    const told = parseStat(await command(it.control, "show stat"), "revisions");
    expect(told.map(({ svname, addr }) => [svname, addr])).toEqual([[servers[0]?.id ?? "", "127.0.0.1:9"]]);
  });

  test("is not reloaded when it knows all that is wanted", async () => {
    const it = await haproxy(twoArms);
    const pid = async () => parseGeneration(await command(it.control, "show info"));
    const before = await pid();
    await it.reload();
    expect(await pid()).toBe(before);
  });

  test("that does not reload is nobody's verdict, and reloads when it is told again", async () => {
    const it = await haproxy(twoArms);
    const wanted = { ...it.place, servers: [] };
    const master = (await haproxyPid(it.folder)) ?? 0;
    process.kill(master, "SIGSTOP");
    try {
      await refusalOf(haproxyUp(wanted, { settleSeconds: 0.3 }), "E_TOOL");
    } finally {
      process.kill(master, "SIGCONT");
    }
    await haproxyUp(wanted);
    expect(parseStat(await command(it.control, "show stat"), "revisions")).toEqual([]);
  });

  test("is not given a revision that is down", async () => {
    const it = await haproxy(twoArms);
    await it.kill("one");
    await until("HAProxy to see it", () =>
      it.router.writeWeights({ one: 100 }).then(
        () => undefined,
        (error: unknown) => (String(error).includes("expected UP") ? true : undefined),
      ),
    );
  }, 30_000);
});

test("openHaproxy() says what to do when nothing answers", async () => {
  const router = openHaproxy({ control: { path: "/nowhere/haproxy.sock" }, samplesFile: "/nowhere/samples.json" });
  expect((await refusalOf(router.readWeights(), "E_TOOL")).message).toContain("/nowhere/haproxy.sock");
});
