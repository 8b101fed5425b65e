// What becomes of the service at twice its capacity: bun scripts/bench/overload.ts [--seconds 20] [--rounds 3] [--json].
// Peak and overload take turns. At its peak, eight clients ask one after another; in overload, requests come at twice
// that rate whether they are answered or not, and beside them a few whose refusals are looked at.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SloPolicy } from "../../pipeline/src/spec/policy.ts";
import { readYaml } from "../../pipeline/src/spec/read.ts";
import { driveApart } from "../../pipeline/src/stage/load/apart.ts";
import { constant } from "../../pipeline/src/stage/load/arrival.ts";
import { watchMemory } from "../../pipeline/src/stage/load/memory.ts";
import { median } from "./median.ts";
import { fire } from "./service-client.ts";
import { magika, root, startSluice } from "./service-sides.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const { models } = await readYaml(join(root, "policies", "slo.yaml"), SloPolicy);
const limitMs = models.magika?.latency.find(({ quantile }) => quantile === 0.99)?.maxMs ?? Number.NaN;
const body = new Uint8Array(await readFile(join(root, "service", "src", "pool.ts")));
const contentType = "application/octet-stream";
// As service/README.md says for a service that has to bear overload.
const service = await startSluice(magika, 1, { SLUICE_WAIT_MS: String(Math.round(0.8 * limitMs)) });
const url = `http://127.0.0.1:${service.port}`;
const memory = watchMemory(service.pid);

async function peak(): Promise<number> {
  const shot = { path: service.path, headers: { ...service.headers, "content-type": contentType }, body };
  const volley = await fire(service.port, shot, { connections: 8, seconds: seconds / 2 });
  return volley.requests / volley.seconds;
}

async function overload(ratePerSecond: number) {
  const plan = {
    targets: [{ url, key: service.key }],
    requests: [{ path: service.path, contentType, body }],
    phases: [constant(ratePerSecond, 2, false), constant(ratePerSecond, seconds)],
    maxInFlight: 100_000,
    timeoutMs: 30_000,
  };
  const driving = driveApart(plan);
  const refusals = lookAtRefusals(driving);
  const [tally] = await driving;
  if (tally === undefined) throw new Error("The driver has no tally");
  return {
    goodput: (tally.requests - tally.errors) / seconds,
    acceptedP50Ms: tally.response.at(0.5),
    acceptedP99Ms: tally.response.at(0.99),
    lagP99Ms: tally.lag.at(0.99),
    answers: { "status 200": tally.requests - tally.errors, ...tally.errorKinds },
    dropped: tally.dropped,
    refusals: await refusals,
  };
}

/** Asks now and then while the load lasts; counts refusals, and those that do not say when to come again. */
async function lookAtRefusals(load: Promise<unknown>) {
  const seen = { refused: 0, withoutRetryAfter: 0 };
  let loaded = true;
  const end = load.finally(() => {
    loaded = false;
  });
  while (loaded) {
    const headers = { ...service.headers, "content-type": contentType };
    const response = await fetch(url + service.path, { method: "POST", body, headers });
    await response.arrayBuffer();
    if (response.status !== 200) seen.refused += 1;
    if (response.status !== 200 && !response.headers.has("retry-after")) seen.withoutRetryAfter += 1;
    await Bun.sleep(20);
  }
  await end;
  return seen;
}

await peak(); // warm
const taken: ({ peak: number } & Awaited<ReturnType<typeof overload>>)[] = [];
for (let round = 0; round < rounds; round += 1) {
  const highest = await peak();
  taken.push({ peak: highest, ...(await overload(2 * highest)) });
}
memory.stop();
await service.stop();

const settled = memory.samples.slice(Math.floor(memory.samples.length / 3));
const figures = {
  "overload: goodput, share of the peak (goal: at least 0.9)": median(taken.map((one) => one.goodput / one.peak)),
  [`overload: p99 of accepted requests, ms (goal: at most ${limitMs})`]: median(taken.map((one) => one.acceptedP99Ms)),
  "overload: answers other than 200, 429 and 503 (goal: 0)": taken.reduce((sum, one) => sum + othersOf(one.answers), 0),
  "overload: refusals without Retry-After (goal: 0)": taken.reduce(
    (sum, one) => sum + one.refusals.withoutRetryAfter,
    0,
  ),
  "overload: refusals that were looked at": taken.reduce((sum, one) => sum + one.refusals.refused, 0),
  "overload: resident memory, last over first third, ratio": lastOverFirst(settled.map(({ mib }) => mib)),
};
if (values.json) console.log(JSON.stringify({ rounds: taken, memory: memory.samples, figures }, undefined, 2));
else {
  for (const round of taken) console.log(JSON.stringify(round));
  for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${value.toFixed(3)}`);
}

function othersOf(answers: Record<string, number>): number {
  const expected = ["status 200", "status 429", "status 503"];
  return Object.entries(answers).reduce((sum, [kind, count]) => (expected.includes(kind) ? sum : sum + count), 0);
}

function lastOverFirst(mib: number[]): number {
  const third = Math.floor(mib.length / 3);
  return median(mib.slice(-third)) / median(mib.slice(0, third));
}
