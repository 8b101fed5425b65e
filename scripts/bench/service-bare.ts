// Bare `session.run` in one thread, the limit that no service can pass: bun service-bare.ts <model folder> <seconds>.
import { join } from "node:path";
import { readListed } from "../../pipeline/src/release/folder.ts";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { createSession } from "../../service/src/session.ts";
import { importTransformer } from "../../service/src/transformer.ts";
import { quantile } from "./service-client.ts";

const [dir = "", seconds = "1"] = process.argv.slice(2);
const manifest = await readJson(join(dir, "manifest.json"), Manifest);
const file = manifest.files.find(({ path }) => path === manifest.model);
if (file === undefined) throw new Error(`Cannot run ${dir}: its manifest does not list its model`);
const session = await createSession(await readListed(dir, file), manifest);
const transformer = await importTransformer(join(dir, manifest.transformer));
const golden = await readJson(join(dir, manifest.golden), Golden);
const request = transformer.request.safeParse(golden.cases[0]?.request);
if (!request.success) throw new Error(`Cannot run ${dir}: its first golden case is refused`);
const inputs = await transformer.encode(request.data);

const latencies: number[] = [];
for (let i = 0; i < 20; i += 1) await session.run(inputs);
const cpu = process.cpuUsage();
const start = performance.now();
const end = start + Number(seconds) * 1000;
for (let now = start; now < end; ) {
  await session.run(inputs);
  const after = performance.now();
  latencies.push(after - now);
  now = after;
}
const sorted = Float64Array.from(latencies).sort();
const perSecond = (latencies.length * 1000) / (performance.now() - start);
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    perSecond,
    cpuUs: (user + system) / latencies.length,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }),
);
