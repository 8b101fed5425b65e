import { expect, setDefaultTimeout, test } from "bun:test";
import { patience, sample, testService, until } from "../support/service-app.ts";
import { featuresOf, wild, wildModel } from "../support/service-model.ts";
import { watchTimers } from "../support/timers.ts";

setDefaultTimeout(patience);

test("no request leaves a timer, a place in the queue or a worker behind, however it ends", async () => {
  await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
  using timers = watchTimers();
  // Longer than `until` waits: a deadline that was not cleared would be seen.
  const limits = { deadlineMs: 600_000, workers: 2, queue: 4 };
  await using service = await testService({ dirs: [model.dir], limits });
  const { pool } = service.models.find("tabular");
  const idle = timers.running();
  const bodies: unknown[] = ["", "{", {}, sample, featuresOf(wild.fail), featuresOf(wild.badResponse)];
  const asked = [...bodies, ...Array(20).fill(sample)].map((body) => service.predict(body));
  const statuses = new Set((await Promise.all(asked)).map(({ status }) => status));
  expect(statuses).toEqual(new Set([200, 400, 422, 500, 503]));
  expect((await service.predict(featuresOf(wild.crash))).status).toBe(503);
  expect((await service.predict(featuresOf(wild.hang), { "x-sluice-deadline-ms": "50" })).status).toBe(408);
  expect((await service.predict(sample)).status).toBe(200);
  await until(() => pool.ready === 2 && pool.depth === 0);
  pool.close(); // what hangs goes with its worker
  await until(() => timers.running() === idle);
});
