// Two drivers of different make, the same server: the own one may only be trusted where vegeta agrees with it.
import { afterEach, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { driveApart } from "../../../pipeline/src/stage/load/apart.ts";
import { constant } from "../../../pipeline/src/stage/load/arrival.ts";
import { runTool } from "../../../pipeline/src/stage/tool.ts";
import { isInstalled } from "../../support/external.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { aRequest } from "../../support/load.ts";
import { serve, type TinyServer } from "../../support/server.ts";

const VegetaReport = z.object({ latencies: z.record(z.string(), z.number()), requests: z.int(), success: z.number() });

const ratePerSecond = 100;
const seconds = 4;
const quantiles = [0.5, 0.9, 0.99];

const started: TinyServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

function server(handler: Parameters<typeof serve>[0]): TinyServer {
  const one = serve(handler);
  started.push(one);
  return one;
}

async function ownMs(url: string): Promise<number[]> {
  const requests = [aRequest()];
  const phases = [constant(ratePerSecond, seconds)];
  const [tally] = await driveApart({
    targets: [{ url, key: "k" }],
    requests,
    phases,
    maxInFlight: 1000,
    timeoutMs: 20_000,
  });
  expect(tally).toMatchObject({ requests: ratePerSecond * seconds, errors: 0 });
  return quantiles.map((quantile) => tally?.response.at(quantile) ?? Number.NaN);
}

async function vegetaMs(url: string): Promise<number[]> {
  await using folder = await temporaryFolder();
  const [targets, body, results] = ["targets", "body", "results"].map((name) => join(folder.path, name));
  await writeFile(body ?? "", "{}");
  await writeFile(targets ?? "", `POST ${url}/\ncontent-type: application/json\n@${body}\n`);
  const attack = [
    "attack",
    `-targets=${targets}`,
    `-rate=${ratePerSecond}/1s`,
    `-duration=${seconds}s`,
    `-output=${results}`,
  ];
  await runTool("vegeta", attack, { timeoutMs: 60_000 });
  const { stdout } = await runTool("vegeta", ["report", "-type=json", results ?? ""], { timeoutMs: 60_000 });
  const report = VegetaReport.parse(JSON.parse(stdout));
  expect(report).toMatchObject({ requests: ratePerSecond * seconds, success: 1 });
  return quantiles.map((quantile) => (report.latencies[`${quantile * 100}th`] ?? Number.NaN) / 1e6);
}

/** Answers each request at a moment that its place in the order sets, in ms since the first: no hiccup here changes it. */
function scheduled(answeredAt: (index: number) => number): TinyServer {
  let began = 0;
  return server((_, index) => {
    if (index === 0) began = performance.now();
    const wait = began + answeredAt(index) - performance.now();
    return new Promise((resolve) => setTimeout(() => resolve(Response.json({})), wait));
  });
}

const everyMs = 1000 / ratePerSecond;

/** Answers in 400 ms, but from its 100th request on nothing for a second. */
const stalling = () => scheduled((index) => (index >= 100 && index < 200 ? 2000 : index * everyMs) + 400);

/** Answers one request after another, 13 ms each: more come than it can take. */
const saturated = () => scheduled((index) => 400 + (index + 1) * 13);

const attempts = 4;

/** The largest deviation (0..1) of our percentiles from vegeta's. */
async function deviation(start: () => TinyServer): Promise<number> {
  const own = await ownMs(start().url);
  const vegeta = await vegetaMs(start().url);
  expect(own[2]).toBeGreaterThan(1000);
  return Math.max(...own.map((ms, i) => Math.abs(ms / (vegeta[i] ?? Number.NaN) - 1)));
}

describe.skipIf(!isInstalled("vegeta"))("the own driver and vegeta", () => {
  test.each([
    ["a server that stalls", stalling],
    ["a saturated server", saturated],
  ] as const)(
    "agree on the percentiles of %s within 5 %%",
    async (_, start) => {
      // A busy machine disturbs one of the two runs now and then; a driver that measures something else never agrees.
      const found: number[] = [];
      while (found.length < attempts && !found.some((one) => one <= 0.05)) found.push(await deviation(start));
      expect(Math.min(...found)).toBeLessThanOrEqual(0.05);
    },
    120_000,
  );
});
