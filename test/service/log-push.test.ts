import { expect, setDefaultTimeout, test } from "bun:test";
import type { LogEntry } from "../../service/src/log.ts";
import { createLogPush } from "../../service/src/log-push.ts";
import { logPush } from "../../service/src/otlp.ts";
import { sampled } from "../../service/src/sampled.ts";
import { resourceOf } from "../../service/src/telemetry.ts";
import { serve } from "../support/server.ts";
import { patience, until } from "../support/service-app.ts";

setDefaultTimeout(patience);

const line: LogEntry = { level: "info", message: "request", status: 200, durationMs: 1.5, principal: undefined };

const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

/** So many records are sent at once; fewer wait for a second. */
const batch = 512;

function push(endpoint: string) {
  const said: LogEntry[] = [];
  const local = { write: (entry: LogEntry) => said.push(entry) };
  const log = createLogPush({ resource: resourceOf("r-1"), processor: logPush(endpoint, local) });
  const write = (times: number) => {
    for (let i = 0; i < times; i += 1) log.write(line);
  };
  return { log, said, write };
}

/** A collector that counts the records of each request before it answers. */
function counting(answer: (index: number) => Response | Promise<Response>) {
  const sizes: number[] = [];
  const collector = serve(async (request, index) => {
    sizes.push((await request.json()).resourceLogs[0].scopeLogs[0].logRecords.length);
    return answer(index);
  });
  return { collector, sizes };
}

test("logs go as OpenTelemetry's records, each joined to its trace", async () => {
  const requests: unknown[] = [];
  const collector = serve(async (request) => {
    requests.push(await request.json());
    return Response.json({});
  });
  const { log } = push(collector.url);
  log.write({ ...line, ...trace });
  log.write({ level: "warn", message: "not reloaded", path: "keys.json" });
  log.write({ level: "error", message: "request" });
  await log.shutdown();
  const name = { key: "service.name", value: { stringValue: "sluice" } };
  const records = [
    {
      severityText: "INFO",
      severityNumber: 9,
      body: { stringValue: "request" },
      attributes: [
        { key: "status", value: { intValue: 200 } },
        { key: "durationMs", value: { doubleValue: 1.5 } },
      ],
      ...trace,
    },
    {
      severityText: "WARN",
      severityNumber: 13,
      body: { stringValue: "not reloaded" },
      attributes: [{ key: "path", value: { stringValue: "keys.json" } }],
    },
    { severityText: "ERROR", severityNumber: 17, body: { stringValue: "request" }, attributes: [] },
  ];
  expect(requests).toMatchObject([
    {
      resourceLogs: [
        { resource: { attributes: expect.arrayContaining([name]) }, scopeLogs: [{ logRecords: records }] },
      ],
    },
  ]);
  expect(JSON.stringify(requests)).not.toContain("principal"); // what is undefined is absent
  await collector.stop();
});

test("logs go many at once, and what is left when they are shut down", async () => {
  const { collector, sizes } = counting(() => Response.json({}));
  const { log, write } = push(collector.url);
  write(batch + 88);
  await until(() => sizes.length === 1);
  await log.shutdown();
  expect(sizes).toEqual([batch, 88]);
  await collector.stop();
});

test("no more than 4096 records are kept for a collector that does not answer", async () => {
  const answer = Promise.withResolvers<Response>();
  const { collector, sizes } = counting(async () => (await answer.promise).clone());
  const { log, write } = push(collector.url);
  write(10_000);
  await until(() => sizes.length === 1);
  answer.resolve(Response.json({}));
  await log.shutdown();
  expect(sizes).toEqual(Array.from({ length: 1 + 4_096 / batch }, () => batch)); // one was on its way, 4096 waited
  await collector.stop();
});

test("a collector that refuses is told of once, and once that it takes logs again", async () => {
  const statuses = [400, 400, 200, 200];
  const { collector } = counting((index) => Response.json({}, { status: statuses[index] ?? 200 }));
  const { log, said, write } = push(collector.url);
  for (const [index] of statuses.entries()) {
    write(batch);
    await until(() => collector.seen() === index + 1);
  }
  await log.shutdown();
  expect(said).toMatchObject([
    { level: "warn", message: "logs cannot be sent: records are dropped", endpoint: collector.url },
    { level: "info", message: "logs are sent again" },
  ]);
  await collector.stop();
});

test("of a busy service a thousand lines a second are sent, and every warning, error and line with a trace", () => {
  let now = 1_700_000_000_000;
  let handedOn = 0;
  const log = sampled({ write: () => (handedOn += 1) }, () => now);
  const sent = (entry: LogEntry) => {
    handedOn = 0;
    for (let i = 0; i < 2_000; i += 1) log.write(entry);
    return handedOn;
  };
  expect(sent(line)).toBe(1_000);
  expect(sent({ ...line, level: "warn" })).toBe(2_000);
  expect(sent({ ...line, level: "error" })).toBe(2_000);
  expect(sent({ ...line, ...trace })).toBe(2_000);
  expect(sent(line)).toBe(0);
  now += 1_000;
  expect(sent(line)).toBe(1_000);
});
