// Good and bad requests at 80 % of the capacity for a long time: bun scripts/bench/soak.ts [--minutes 10] [--json].
// The capacity is measured anew every half minute, for whatever else this machine does takes its part of it.
// Ends with 1 when there was an answer that was not asked for, or when something was left behind.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { growthPerHour } from "../../pipeline/src/decide/growth.ts";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { driveApart } from "../../pipeline/src/stage/load/apart.ts";
import { constant } from "../../pipeline/src/stage/load/arrival.ts";
import { watchMemory } from "../../pipeline/src/stage/load/memory.ts";
import { goldenRequests, type LoadRequest } from "../../pipeline/src/stage/load/request.ts";
import { Tally } from "../../pipeline/src/stage/load/tally.ts";
import { median } from "./median.ts";
import { fire } from "./service-client.ts";
import { magika, startSluice } from "./service-sides.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, json: { type: "boolean", default: false } },
});
const seconds = Number(values.minutes) * 60;
const sliceSeconds = Math.min(30, seconds);
const json = "application/json";
const service = await startSluice(magika);
const url = `http://127.0.0.1:${service.port}`;

/** Requests that have to be refused, each in its own way, and the status that is wanted. */
const bad: { status: number; request: LoadRequest }[] = [
  { status: 400, request: { path: service.path, contentType: json, body: "{" } },
  { status: 400, request: { path: service.path, contentType: json, body: `{"content":"","content":""}` } },
  { status: 404, request: { path: "/v1/models/nope/predict", contentType: json, body: "{}" } },
  { status: 415, request: { path: service.path, contentType: "text/plain", body: "{}" } },
  { status: 422, request: { path: service.path, contentType: json, body: `{"content":7}` } },
  { status: 422, request: { path: service.path, contentType: json, body: `{"x":"${"y".repeat(100_000)}"}` } },
];

/** Every golden case and every bad request, one bad after four good. */
async function mixed(): Promise<LoadRequest[]> {
  const good = goldenRequests(magika.name, await readJson(join(magika.dir, "golden.json"), Golden));
  const groups = Math.max(bad.length, Math.ceil(good.length / 4));
  return Array.from({ length: groups }, (_, i) => {
    const four = [0, 1, 2, 3].flatMap((k) => good[(i * 4 + k) % good.length] ?? []);
    const [one] = bad.slice(i % bad.length);
    return one === undefined ? four : [...four, one.request];
  }).flat();
}

/** What a process holds that could be left behind. */
async function held(pid: number) {
  const [threads, files] = await Promise.all([readdir(`/proc/${pid}/task`), readdir(`/proc/${pid}/fd`)]);
  const headers = { authorization: `Bearer ${service.key}` };
  const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
  const sum = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, "gm"))].reduce(
      (total, [, n]) => total + Number(n),
      0,
    );
  return {
    threads: threads.length,
    files: files.length,
    workers: sum("sluice_workers"),
    restarts: sum("sluice_worker_restarts_total"),
    waiting: sum("sluice_queue_depth"),
  };
}

const requests = await mixed();
const shot = {
  path: service.path,
  headers: { ...service.headers, "content-type": json },
  body: requests[0]?.body ?? "",
};

/** Drives the mix at 80 % of what two clients that ask one question after another are answered. */
async function driveSlice(): Promise<{ tally: Tally; ratePerSecond: number }> {
  const volley = await fire(service.port, shot, { connections: 2, seconds: 2 });
  const ratePerSecond = (0.8 * volley.requests * (5 / 4)) / volley.seconds; // every fifth costs the model nothing
  const phases = [constant(ratePerSecond, sliceSeconds)];
  const targets = [{ url, key: service.key }];
  const [tally] = await driveApart({ targets, requests, phases, maxInFlight: 10_000, timeoutMs: 30_000 });
  if (tally === undefined) throw new Error("The driver has no tally");
  return { tally, ratePerSecond };
}

await fire(service.port, shot, { connections: 2, seconds: 5 }); // warm
const before = await held(service.pid);
const memory = watchMemory(service.pid);
const load = (await readFile("/proc/loadavg", "utf8")).trim();
const tally = new Tally();
const rates: number[] = [];
for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
  const slice = await driveSlice();
  tally.merge(slice.tally.toWire());
  rates.push(slice.ratePerSecond);
}
memory.stop();
const after = await held(service.pid);
await service.stop();

const statuses = new Set(bad.map(({ status }) => `status ${status}`));
const unasked = Object.entries(tally.errorKinds).filter(([kind]) => !statuses.has(kind));
const settled = memory.samples.slice(Math.floor(memory.samples.length / 2));
const mib = settled.map((sample) => sample.mib);
const facts = {
  minutes: Number(values.minutes),
  "requests a second": { least: Math.min(...rates), median: median(rates), most: Math.max(...rates) },
  answers: { "status 200": tally.requests - tally.errors, ...tally.errorKinds },
  dropped: tally.dropped,
  "p99 of good answers, ms": tally.response.at(0.99),
  "resident memory, second half, MiB": { least: Math.min(...mib), most: Math.max(...mib) },
  "growth in the second half, MiB an hour": growthPerHour(settled),
  before,
  after,
  "load average at the start": load,
};
console.log(JSON.stringify(facts, undefined, values.json ? 2 : 1));
const leaks = [
  ...(after.workers === before.workers ? [] : ["workers"]),
  ...(after.threads <= before.threads + 1 ? [] : ["threads"]),
  ...(after.files <= before.files + 2 ? [] : ["files"]),
  ...(after.restarts === 0 && after.waiting === 0 ? [] : ["restarts or waiting requests"]),
];
if (unasked.length > 0) console.error(`Answers that were not asked for: ${JSON.stringify(unasked)}`);
if (leaks.length > 0) console.error(`Left behind: ${leaks.join(", ")}`);
process.exitCode = unasked.length + leaks.length === 0 ? 0 : 1;
