import { expect, test } from "bun:test";
import type { LogEntry } from "../../service/src/log.ts";
import { createLogPush } from "../../service/src/log-push.ts";
import { serve } from "../support/server.ts";
import { until } from "../support/service-app.ts";

const line: LogEntry = { level: "info", message: "request", status: 200, durationMs: 1.5, principal: undefined };

function push(endpoint: string, limit = 4_096) {
  const said: LogEntry[] = [];
  const local = { write: (entry: LogEntry) => said.push(entry), flush: () => undefined };
  const log = createLogPush({
    endpoint,
    resource: { "service.name": "sluice" },
    local,
    now: () => 1_700_000_000_000,
    limit,
  });
  return { log, said };
}

test("createLogPush() sends 256 records at once, and what is left when it is shut down", async () => {
  const sizes: number[] = [];
  const collector = serve(async (request) => {
    const { resourceLogs } = await request.json();
    sizes.push(resourceLogs[0].scopeLogs[0].logRecords.length);
    return Response.json({});
  });
  const { log } = push(collector.url);
  for (let i = 0; i < 600; i += 1) log.write(line);
  await until(() => sizes.length === 2);
  await log.shutdown();
  expect(sizes).toEqual([256, 256, 88]);
  await collector.stop();
});

test("createLogPush() keeps no more than its limit for a collector that does not answer", async () => {
  const sizes: number[] = [];
  const answer = Promise.withResolvers<Response>();
  const collector = serve(async (request) => {
    sizes.push((await request.json()).resourceLogs[0].scopeLogs[0].logRecords.length);
    return answer.promise.then((response) => response.clone());
  });
  const { log } = push(collector.url, 300);
  for (let i = 0; i < 5_000; i += 1) log.write(line);
  await until(() => sizes.length === 1);
  answer.resolve(Response.json({}));
  await log.shutdown();
  expect(sizes).toEqual([256, 256, 300 - 256]); // 256 were on their way, 300 waited
  await collector.stop();
});

test("createLogPush() tells once of a collector that is down, and once that it is back", async () => {
  const statuses = [503, 503, 200];
  const collector = serve((_, index) => Response.json({}, { status: statuses[index] ?? 200 }));
  const { log, said } = push(collector.url);
  for (const status of statuses) {
    const seen = collector.seen();
    log.write(line);
    log.flush();
    await until(() => collector.seen() > seen);
    await until(() => said.length >= (status === 200 ? 2 : 1));
  }
  expect(said.map(({ level, dropped }) => [level, dropped])).toEqual([
    ["warn", undefined],
    ["info", 2],
  ]);
  await log.shutdown();
  await collector.stop();
});
