// What the service costs, beside its peer and its limits: bun scripts/bench/service.ts [--seconds 2] [--rounds 3] [--json].
// All sides take turns in one run, so that what disturbs this machine disturbs all of them; ratios are of medians.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./median.ts";
import { cpuUsOf } from "./processor.ts";
import { fire, quantile, type Shot } from "./service-client.ts";
import { startPeers } from "./service-peers.ts";
import { features, magika, root, type Side, startEmpty, startSluice, tabular } from "./service-sides.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);

/** One row of the table: medians over the rounds. */
type Row = {
  side: string;
  connections: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  failures: number;
  cpuUs: number;
};

async function volley(side: Side, connections: number, shot: Pick<Shot, "body"> & { type: string }): Promise<Row> {
  const headers = { ...side.headers, "content-type": shot.type };
  const before = await cpuUsOf(side.pid);
  const {
    requests,
    failures,
    seconds: took,
    latencies,
  } = await fire(side.port, { path: side.path, headers, body: side.body ?? shot.body }, { connections, seconds });
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  const cpuUs = ((await cpuUsOf(side.pid)) - before) / (requests + failures);
  return { side: side.name, connections, perSecond: requests / took, p50Ms, p99Ms, failures, cpuUs };
}

async function bare(dir: string): Promise<Row> {
  const text = await Bun.$`${process.execPath} ${join(import.meta.dir, "service-bare.ts")} ${dir} ${seconds}`.text();
  return { side: "bare session.run", connections: 1, failures: 0, ...JSON.parse(text) };
}

/** Runs every measurement in turn, `rounds` times after a warm-up, and takes medians. */
async function interleave(measurements: (() => Promise<Row>)[]): Promise<Row[]> {
  for (const measure of measurements) await measure();
  const all: Row[][] = measurements.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, measure] of measurements.entries()) all[i]?.push(await measure());
  }
  return all.flatMap((rows) => medianOf(rows));
}

function medianOf(rows: Row[]): Row[] {
  const [first] = rows;
  if (first === undefined) return [];
  const middle = (pick: (row: Row) => number) => median(rows.map(pick));
  return [
    {
      ...first,
      perSecond: middle((row) => row.perSecond),
      p50Ms: middle((row) => row.p50Ms),
      p99Ms: middle((row) => row.p99Ms),
      cpuUs: middle((row) => row.cpuUs),
      failures: rows.reduce((sum, row) => sum + row.failures, 0),
    },
  ];
}

async function measureTabular(): Promise<Row[]> {
  const running = [await startSluice(tabular), ...(await startPeers()), await startEmpty()];
  const shot = { body: JSON.stringify({ features }), type: "application/json" };
  const volleys = [1, 16, 64].flatMap((connections) => running.map((side) => () => volley(side, connections, shot)));
  const rows = await interleave([...volleys, () => bare(tabular.dir)]);
  for (const side of running) await side.stop();
  return rows;
}

async function measureMagika(): Promise<{ rows: Row[]; startMs: number; residentMb: number }> {
  const side = await startSluice(magika);
  const body = await readFile(join(root, "service", "src", "pool.ts"));
  const shot = { body, type: "application/octet-stream" };
  const rows = await interleave([() => volley(side, 1, shot), () => volley(side, 16, shot), () => bare(magika.dir)]);
  await side.stop();
  const two = await startSluice(magika, 2);
  await volley(two, 16, shot);
  const residentMb = Number(/VmRSS:\s*(\d+)/.exec(await readFile(`/proc/${two.pid}/status`, "utf8"))?.[1]) / 1024;
  await two.stop();
  return { rows, startMs: side.startMs, residentMb };
}

const unmeasured: Row = {
  side: "",
  connections: 0,
  perSecond: Number.NaN,
  p50Ms: Number.NaN,
  p99Ms: Number.NaN,
  failures: 0,
  cpuUs: Number.NaN,
};

function find(rows: Row[], side: string, connections: number): Row {
  return rows.find((row) => row.side === side && row.connections === connections) ?? unmeasured;
}

/** The figures that the project set itself, as they came out. */
function figuresOf(tabularRows: Row[], magikaRows: Row[]): Record<string, number> {
  const [sluice1, sluice16] = [find(tabularRows, "Sluice", 1), find(tabularRows, "Sluice", 16)];
  const [peer16, bareTabular] = [find(tabularRows, "FastAPI", 16), find(tabularRows, "bare session.run", 1)];
  const [magika16, bareMagika] = [find(magikaRows, "Sluice", 16), find(magikaRows, "bare session.run", 1)];
  const empty1 = find(tabularRows, "empty Bun server", 1);
  const times = (peer: string) => sluice16.perSecond / find(tabularRows, peer, 16).perSecond;
  return {
    "tabular, 16 connections: throughput, times FastAPI's (goal: at least 4)": times("FastAPI"),
    "tabular, 16 connections: throughput, times BentoML's": times("BentoML"),
    "tabular, 16 connections: throughput, times MLServer's": times("MLServer"),
    "tabular, 16 connections: throughput, share of an empty Bun server's": times("empty Bun server"),
    "tabular, 16 connections: FastAPI's processor time, times Sluice's": peer16.cpuUs / sluice16.cpuUs,
    "tabular, 1 connection: p50 over bare session.run, ms (goal: at most 0.15)": sluice1.p50Ms - bareTabular.p50Ms,
    "tabular, 1 connection: p50 over an empty Bun server and bare session.run, ms":
      sluice1.p50Ms - empty1.p50Ms - bareTabular.p50Ms,
    "tabular, 1 connection: p99 over bare session.run, ms (goal: at most 1)": sluice1.p99Ms - bareTabular.p99Ms,
    "magika: throughput, share of bare session.run's (goal: at least 0.95)": magika16.perSecond / bareMagika.perSecond,
    "magika: bare session.run's processor time, share of Sluice's": bareMagika.cpuUs / magika16.cpuUs,
  };
}

const tabularRows = await measureTabular();
const { rows: magikaRows, startMs, residentMb } = await measureMagika();
const figures = {
  ...figuresOf(tabularRows, magikaRows),
  "magika, start to ready, ms (goal: at most 1500)": startMs,
  "magika, resident memory with 2 workers, MB": residentMb,
};
if (values.json) console.log(JSON.stringify({ tabular: tabularRows, magika: magikaRows, figures }, undefined, 2));
else print();

function print(): void {
  for (const [title, rows] of Object.entries({ tabular: tabularRows, magika: magikaRows })) {
    console.log(`\n${title.padEnd(20)} connections  requests/s    p50 ms    p99 ms  cpu us  failed`);
    for (const row of rows) {
      const cells = [
        row.connections.toString().padStart(11),
        row.perSecond.toFixed(0).padStart(11),
        row.p50Ms.toFixed(3).padStart(9),
        row.p99Ms.toFixed(3).padStart(9),
        row.cpuUs.toFixed(0).padStart(7),
        row.failures.toString().padStart(7),
      ];
      console.log(`${row.side.padEnd(20)} ${cells.join(" ")}`);
    }
  }
  console.log();
  for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${value.toFixed(3)}`);
}
