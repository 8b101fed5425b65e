import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { driveApart } from "../../../pipeline/src/stage/load/apart.ts";
import { constant } from "../../../pipeline/src/stage/load/arrival.ts";
import { drive, type Plan, turnOf } from "../../../pipeline/src/stage/load/driver.ts";
import { startTraffic } from "../../../pipeline/src/stage/load/traffic.ts";
import { aRequest } from "../../support/load.ts";
import { serve, type TinyServer } from "../../support/server.ts";

const closing: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.stop();
});

function server(handler: Parameters<typeof serve>[0]): TinyServer {
  const started = serve(handler);
  closing.push(started);
  return started;
}

function plan(urls: string[], change: Partial<Plan> = {}): Plan {
  return {
    targets: urls.map((url) => ({ url, key: "sluice_test_key" })),
    requests: [aRequest({ path: "/predict", body: '{"n":1}' })],
    phases: [constant(200, 1)],
    maxInFlight: 64,
    timeoutMs: 2000,
    ...change,
  };
}

test("drive() sends every planned request once, with its body and key", async () => {
  const bodies = new Set<string>();
  const { url, seen } = server(async (request) => {
    bodies.add(`${request.headers.get("authorization")} ${await request.text()}`);
    return Response.json({ ok: true });
  });
  const [tally] = await drive(plan([url]));
  expect(tally).toMatchObject({ planned: 200, requests: 200, errors: 0, dropped: 0 });
  expect(seen()).toBe(200);
  expect([...bodies]).toEqual(['Bearer sluice_test_key {"n":1}']);
});

test("drive() sends the warm-up but does not count it", async () => {
  const { url, seen } = server(() => Response.json({}));
  const [tally] = await drive(plan([url], { phases: [constant(100, 0.5, false), constant(100, 0.5)] }));
  expect(tally?.planned).toBe(50);
  expect(tally?.response.count).toBe(50);
  expect(seen()).toBe(100);
});

test("drive() goes on with its schedule while the server stalls, and counts the wait as response time", async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { url } = server(async (_, index) => {
    // The first request blocks; the last arrival of the run opens the gate.
    if (index === 0) await gate;
    if (index === 99) open();
    return Response.json({});
  });
  const [tally] = await drive(plan([url], { phases: [constant(100, 1)] }));
  expect(tally).toMatchObject({ requests: 100, errors: 0 });
  expect(tally?.response.at(1)).toBeGreaterThan(900);
  expect(tally?.response.at(0.5)).toBeLessThan(900);
});

test("drive() drops arrivals above the cap instead of queueing them", async () => {
  const { url, seen } = server(() => new Promise<Response>(() => {}));
  const [tally] = await drive(plan([url], { phases: [constant(100, 0.3)], maxInFlight: 4, timeoutMs: 1500 }));
  expect(tally).toMatchObject({ planned: 30, dropped: 26, requests: 4, errorKinds: { timeout: 4 } });
  expect(seen()).toBe(4);
});

test("drive() names each kind of error", async () => {
  const { url } = server((_, index) => {
    if (index % 4 === 0) return new Response("no", { status: 503 });
    if (index % 4 === 1) return new Response(null, { status: 200 });
    if (index % 4 === 2) return Response.redirect("http://127.0.0.1:1/", 302);
    return Response.json({});
  });
  const [tally] = await drive(plan([url], { phases: [constant(100, 0.4)] }));
  expect(tally?.errors).toBe(30);
  expect(tally?.errorKinds).toEqual({ "status 503": 10, empty: 10, "status 302": 10 });
  expect(tally?.response.count).toBe(10);
});

test("drive() shows a driver starved of CPU as lag", async () => {
  const { url } = server(() => Response.json({}));
  const running = drive(plan([url], { phases: [constant(100, 1)] }));
  const starvedUntil = performance.now() + 400;
  while (performance.now() < starvedUntil);
  const [tally] = await running;
  expect(tally?.lag.at(0.99)).toBeGreaterThan(100);
  expect(tally?.response.at(0.99)).toBeGreaterThan(100);
});

test("drive() counts a server that answers nothing as timeouts", async () => {
  const silent = createServer(() => {});
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  closing.push({ stop: () => silent.close() });
  const [tally] = await drive(plan([addressOf(silent)], { phases: [constant(50, 0.2)], timeoutMs: 200 }));
  expect(tally).toMatchObject({ requests: 10, errors: 10, errorKinds: { timeout: 10 } });
});

test("drive() counts a refused connection as an error and goes on", async () => {
  const gone = serve(() => Response.json({}));
  await gone.stop();
  const [tally] = await drive(plan([gone.url], { phases: [constant(50, 0.2)] }));
  expect(tally).toMatchObject({ requests: 10, errors: 10, errorKinds: { connection: 10 } });
});

test("drive() gives two targets the same requests", async () => {
  const bodies: Record<string, string[]> = { a: [], b: [] };
  const log = (name: string) => async (request: Request) => {
    bodies[name]?.push(await request.text());
    return Response.json({});
  };
  const [a, b] = [server(log("a")), server(log("b"))];
  const requests = ["1", "2", "3"].map((body) => aRequest({ body }));
  const tallies = await drive(plan([a.url, b.url], { requests, phases: [constant(40, 0.3)] }));
  expect(tallies.map((tally) => tally.requests)).toEqual([6, 6]);
  expect(bodies.a?.sort().join("")).toBe("112233");
  expect(bodies.b?.sort().join("")).toBe("112233");
});

test("turnOf() lets each target be first as often as the other", () => {
  const turns = Array.from({ length: 6 }, (_, index) => turnOf(index, 2));
  expect(turns.map((turn) => turn.target).join("")).toBe("011001");
  expect(turns.map((turn) => turn.round).join("")).toBe("001122");
});

test("driveApart() shares one plan among processes and merges what they saw", async () => {
  const { url, seen } = server(() => Response.json({}));
  const requests = [aRequest({ contentType: "application/octet-stream", body: new Uint8Array([1, 2, 255]) })];
  const [tally] = await driveApart(plan([url], { requests, phases: [constant(100, 1)] }), { processes: 2 });
  expect(tally).toMatchObject({ planned: 100, requests: 100, errors: 0 });
  expect(tally?.response.count).toBe(100);
  expect(seen()).toBe(100);
});

test("driveApart() has as many requests under way as it is allowed to, and holds none back", async () => {
  const all = 600;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  // Nobody is answered before everybody is here.
  const { url } = server(async (_, index) => {
    if (index === all - 1) open();
    await gate;
    return Response.json({});
  });
  const [tally] = await driveApart(plan([url], { phases: [constant(all, 1)], maxInFlight: all, timeoutMs: 30_000 }));
  expect(tally).toMatchObject({ requests: all, errors: 0, dropped: 0 });
}, 60_000);

test("startTraffic() survives a server that resets every connection, and tells what it met", async () => {
  let resets = 0;
  const resetting = createServer((socket) => {
    resets++;
    socket.resetAndDestroy();
  });
  resetting.listen(0, "127.0.0.1");
  await once(resetting, "listening");
  closing.push({ stop: () => resetting.close() });
  const url = addressOf(resetting);
  const traffic = startTraffic({ url, key: "k", requests: plan([url]).requests, ratePerSecond: 200 });
  while (resets < 20) await new Promise((resolve) => setTimeout(resolve, 1));
  const summary = await traffic.stop();
  expect(summary.errors).toBeGreaterThanOrEqual(10);
  expect(summary.errors).toBe(summary.requests);
  expect(Object.keys(summary.errorKinds)).toEqual(["connection"]);
});

function addressOf(listening: Server): string {
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("Cannot test: server has no port");
  return `http://127.0.0.1:${address.port}`;
}
