// A worker is killed each second under load: bun scripts/bench/worker-kills.ts [--minutes 2] [--rate 100].
// Ends with 1 when a request failed that the killed worker did not have, or one that it had got no 503.
import { parseArgs } from "node:util";
import { driveApart } from "../../pipeline/src/stage/load/apart.ts";
import { constant } from "../../pipeline/src/stage/load/arrival.ts";
import { sample } from "../../test/support/service-app.ts";
import { featuresOf, wild, wildModel } from "../../test/support/service-model.ts";
import { startSluice } from "./service-sides.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "2" }, rate: { type: "string", default: "100" } },
});
const contentType = "application/json";
await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
const service = await startSluice({ name: "tabular", dir: model.dir }, 2);
const url = `http://127.0.0.1:${service.port}`;

async function kill(): Promise<number> {
  const headers = { ...service.headers, "content-type": contentType };
  const body = JSON.stringify(featuresOf(wild.crash));
  const response = await fetch(url + service.path, { method: "POST", body, headers });
  await response.arrayBuffer();
  return response.status;
}

const kills: number[] = [];
const timer = setInterval(() => void kill().then((status) => kills.push(status)), 1_000);
const [tally] = await driveApart({
  targets: [{ url, key: service.key }],
  requests: [{ path: service.path, contentType, body: JSON.stringify(sample) }],
  phases: [constant(Number(values.rate), Number(values.minutes) * 60)],
  maxInFlight: 10_000,
  timeoutMs: 30_000,
});
clearInterval(timer);
await service.stop();

const others = kills.filter((status) => status !== 503);
const p99Ms = tally?.response.at(0.99);
console.log(
  JSON.stringify({
    kills: kills.length,
    sent: tally?.requests,
    failed: tally?.errors,
    kinds: tally?.errorKinds,
    p99Ms,
  }),
);
if (others.length > 0) console.error(`Killed requests that got something other than 503: ${others.join()}`);
process.exitCode = tally?.errors === 0 && others.length === 0 && kills.length > 0 ? 0 : 1;
