import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { driveApart } from "../../pipeline/src/stage/load/apart.ts";
import { constant } from "../../pipeline/src/stage/load/arrival.ts";
import { haproxyDown, haproxyUp } from "../../pipeline/src/target/haproxy/up.ts";
import { openSite } from "../../pipeline/src/target/local/client.ts";
import { siteDown, siteUp } from "../../pipeline/src/target/local/up.ts";
import { fire } from "./service-client.ts";
import { stageStandIn } from "./stand-in.ts";

// Compares the site's router with HAProxy before one and the same revision: bun scripts/bench/router.ts [--seconds N]
// Throughput: a closed loop over kept-alive connections, the two taking turns. Latency: an open loop, direct, by the
// site and by HAProxy in turns, at a rate that none of them notices.

const connections = 16;
const rounds = 3;
const latencyRate = 300;
const seconds = Number(process.argv[process.argv.indexOf("--seconds") + 1] ?? Number.NaN) || 5;
const shot = {
  path: "/",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ data: "x".repeat(512) }),
};

type Ports = { direct: number; site: number; haproxy: number };

const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
try {
  const ports = await setUp();
  const throughput = await measureThroughput(ports);
  const latency = await measureLatency(ports);
  console.log(JSON.stringify({ throughput, latency }, null, 2));
} finally {
  await haproxyDown(join(folder, "haproxy"), { drainSeconds: 0 });
  await siteDown(folder);
  await rm(folder, { recursive: true, force: true });
}

async function setUp(): Promise<Ports> {
  const { address } = await siteUp({ stateDir: folder, host: "127.0.0.1", port: 0, workers: 1 });
  const site = openSite(folder);
  const { port: direct } = await site.start("bench", await stageStandIn(folder, "bench"));
  await site.writeWeights({ bench: 100 });
  const haproxy = await freePort();
  const servers = [{ id: "bench", host: "127.0.0.1", port: direct, weight: 100 }];
  await haproxyUp({ folder: join(folder, "haproxy"), bind: `127.0.0.1:${haproxy}`, servers });
  return { direct, site: Number(new URL(address).port), haproxy };
}

async function measureThroughput(ports: Ports) {
  const rates = { direct: [] as number[], site: [] as number[], haproxy: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, port] of [
      ["direct", ports.direct],
      ["site", ports.site],
      ["haproxy", ports.haproxy],
    ] as const) {
      const volley = await fire(port, shot, { connections, seconds });
      if (volley.failures > 0) throw new Error(`${volley.failures} of ${volley.requests} requests failed at ${name}`);
      rates[name].push(Math.round(volley.requests / volley.seconds));
    }
  }
  const perSecond = { direct: median(rates.direct), site: median(rates.site), haproxy: median(rates.haproxy) };
  return { connections, seconds, rates, perSecond, siteOverHaproxy: ratio(perSecond.site, perSecond.haproxy) };
}

async function measureLatency(ports: Ports) {
  const targets = [ports.direct, ports.site, ports.haproxy].map((port) => ({
    url: `http://127.0.0.1:${port}`,
    key: "none",
  }));
  const phases = [constant(3 * latencyRate, 2, false), constant(3 * latencyRate, 4 * seconds)];
  const requests = [{ path: shot.path, contentType: "application/json", body: shot.body }];
  const tallies = await driveApart({ targets, requests, phases, maxInFlight: 500, timeoutMs: 5_000 });
  const [direct, site, haproxy] = tallies.map(({ requests: sent, errors, service }) => ({
    requests: sent,
    errors,
    p50Ms: service.at(0.5),
    p99Ms: service.at(0.99),
  }));
  const added = (at: { p99Ms: number } | undefined) =>
    Number(((at?.p99Ms ?? Number.NaN) - (direct?.p99Ms ?? Number.NaN)).toFixed(3));
  return {
    ratePerSecond: latencyRate,
    direct,
    site,
    haproxy,
    addedP99Ms: { site: added(site), haproxy: added(haproxy) },
  };
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function ratio(one: number, other: number): number {
  return Number((one / other).toFixed(2));
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
