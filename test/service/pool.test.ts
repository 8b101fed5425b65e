import { expect, setDefaultTimeout, test } from "bun:test";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { createKeyring } from "../../service/src/keyring.ts";
import { patience, sample, testService, until } from "../support/service-app.ts";
import { featuresOf, wild, wildModel } from "../support/service-model.ts";

setDefaultTimeout(patience);

async function codeOf(response: Response | Promise<Response>): Promise<string> {
  const { status } = await response;
  const body = await (await response).json();
  return status === 200 ? "answered" : body.code;
}

test("a worker that crashes costs only its own request; it is replaced and counted", async () => {
  await using model = await wildModel();
  await using service = await testService({ dirs: [model.dir], limits: { workers: 2 } });
  const lost = await service.predict(featuresOf(wild.crash));
  expect(lost.status).toBe(503);
  expect(lost.headers.get("retry-after")).toBe("1");
  expect(await codeOf(lost)).toBe("worker-lost");
  expect(await codeOf(service.predict(sample))).toBe("answered");
  await until(() => service.models.find("tabular").pool.ready === 2);
  const metrics = await (await service.ask("/metrics")).text();
  expect(metrics).toMatch(/sluice_worker_restarts_total\{.*reason="lost".*\} 1/);
});

test("a lone worker that crashes comes back and answers what waited", async () => {
  await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
  await using service = await testService({ dirs: [model.dir] });
  const answers = [wild.crash, 1, 2, 3].map((first) => codeOf(service.predict(featuresOf(first))));
  expect(await Promise.all(answers)).toEqual(["worker-lost", "answered", "answered", "answered"]);
});

test("a hung inference is cut by its deadline, and its worker is replaced", async () => {
  await using model = await wildModel();
  await using service = await testService({ dirs: [model.dir], limits: { deadlineMs: 300 } });
  const hung = await service.predict(featuresOf(wild.hang));
  expect([hung.status, await codeOf(hung)]).toEqual([504, "deadline-exceeded"]);
  await until(async () => (await service.predict(sample)).status === 200);
});

test("a client's own short deadline costs its request only, not the worker", async () => {
  await using model = await wildModel();
  await using service = await testService({ dirs: [model.dir], limits: { deadlineMs: 2_000 } });
  const hung = service.predict(featuresOf(wild.hang), { "x-sluice-deadline-ms": "50" });
  expect([(await hung).status, await codeOf(hung)]).toEqual([408, "own-deadline-passed"]);
  expect(service.models.find("tabular").pool.ready).toBe(1);
});

test.each([
  ["the service's deadline gets 503 with Retry-After", undefined, 503, "wait-too-long"],
  ["its own deadline gets 408", "100", 408, "own-deadline-passed"],
])("a request that waits longer than %s", async (_, deadline, status, code) => {
  await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
  await using service = await testService({ dirs: [model.dir], limits: { deadlineMs: 500 } });
  const hung = [service.predict(featuresOf(wild.hang)), service.predict(featuresOf(wild.hang))];
  const waited = await service.predict(sample, deadline === undefined ? {} : { "x-sluice-deadline-ms": deadline });
  expect([waited.status, await codeOf(waited)]).toEqual([status, code]);
  expect(Number(waited.headers.get("retry-after") ?? 0) >= 1).toBe(status === 503);
  await Promise.all(hung);
});

test("a full queue answers at once with 503 and Retry-After", async () => {
  await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
  await using service = await testService({ dirs: [model.dir], limits: { deadlineMs: 1_000, queue: 2 } });
  const { pool } = service.models.find("tabular");
  const hung = codeOf(service.predict(featuresOf(wild.hang)));
  const waiting = [codeOf(service.predict(sample)), codeOf(service.predict(sample))];
  await until(() => pool.depth === 2);
  const refused = await service.predict(sample);
  expect([refused.status, await codeOf(refused)]).toEqual([503, "queue-full"]);
  expect(refused.headers.has("retry-after")).toBe(true);
  await Promise.all([hung, ...waiting]);
});

test("a queue that stands takes no request that would wait too long, and a principal that asks little is not held back", async () => {
  await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
  const [busy, calm] = [newKey("busy"), newKey("calm")];
  const keys = [busy, calm].map((key, i) => ({
    id: i === 0 ? "busy" : "calm",
    digest: digestKey(key),
    scopes: ["predict" as const],
  }));
  const keyring = createKeyring({ schema: "sluice/keys/v1", keys });
  const limits = { deadlineMs: 2_000, waitMs: 5, queue: 10_000 };
  await using service = await testService({ dirs: [model.dir], limits, deps: { keyring } });
  const { pool } = service.models.find("tabular");
  const ask = (key: string, body: unknown) => codeOf(service.predict(body, { authorization: `Bearer ${key}` }));
  for (let i = 0; i < 20; i += 1) expect(await ask(busy, sample)).toBe("answered"); // how long an item takes is known
  const hung = ask(busy, featuresOf(wild.hang));
  const asked = [ask(busy, sample)];
  await until(() => pool.depth === 1);
  const stood = performance.now() + 2 * limits.waitMs;
  await until(() => performance.now() > stood);
  for (let i = 0; i < 500; i += 1) asked.push(ask(busy, sample));
  const other = ask(calm, sample);
  const codes = await Promise.all(asked);
  expect(codes.at(-1)).toBe("queue-full");
  expect(codes.slice(0, 2)).not.toContain("queue-full");
  expect(await other).not.toBe("queue-full");
  await hung;
});

test("a request whose client goes away while it waits never reaches the model", async () => {
  await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
  await using service = await testService({ dirs: [model.dir], limits: { deadlineMs: 1_000 } });
  const { pool } = service.models.find("tabular");
  const hung = service.predict(featuresOf(wild.hang));
  const client = new AbortController();
  const waiting = service.ask("/v1/models/tabular/predict", {
    method: "POST",
    body: JSON.stringify(sample),
    headers: { "content-type": "application/json" },
    signal: client.signal,
  });
  await until(() => pool.depth === 1);
  client.abort();
  expect(await codeOf(waiting)).toBe("client-gone");
  expect(pool.depth).toBe(0);
  await hung;
});

test.each([
  ["throws", wild.fail],
  ["answers against its own schema", wild.badResponse],
])("a transformer that %s gives 500 without telling why, and the log tells", async (_, first) => {
  await using model = await wildModel();
  await using service = await testService({ dirs: [model.dir] });
  const response = await service.predict(featuresOf(first));
  const text = await response.text();
  expect([response.status, JSON.parse(text).code]).toEqual([500, "inference-failed"]);
  expect(text).not.toContain("secret");
  expect(service.log.at(-1)?.cause).toBeString();
  expect(await codeOf(service.predict(sample))).toBe("answered");
});

test("requests that share a run are answered each for itself", async () => {
  await using model = await wildModel({ batch: { safe: true, maxSize: 8 } });
  await using service = await testService({ dirs: [model.dir] });
  const firsts = Array.from({ length: 30 }, (_, i) => i * 7);
  const alone: string[] = [];
  for (const first of firsts) alone.push(await (await service.predict(featuresOf(first))).text());
  const together = await Promise.all(
    [...firsts, wild.fail].map(async (first) => await (await service.predict(featuresOf(first))).text()),
  );
  expect(together.pop()).toContain("inference-failed");
  expect(together.map(withoutNoise)).toEqual(alone.map(withoutNoise));
  expect(new Set(together).size).toBeGreaterThan(1);
  const metrics = await (await service.ask("/metrics")).text();
  const largest = /sluice_batch_size_bucket\{[^}]*le="1"\} (\d+)/.exec(metrics)?.[1];
  const all = /sluice_batch_size_count\{[^}]*\} (\d+)/.exec(metrics)?.[1];
  expect(Number(all)).toBeGreaterThan(Number(largest)); // some runs had more than one item
});

test("requests to a model that is not safe to batch never share a run", async () => {
  await using model = await wildModel({ batch: { safe: false, maxSize: 8 } });
  await using service = await testService({ dirs: [model.dir] });
  const asked = Array.from({ length: 30 }, () => service.predict(sample));
  expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
  const metrics = await (await service.ask("/metrics")).text();
  expect(metrics).toMatch(/sluice_batch_size_bucket\{[^}]*le="1"\} 30\n/);
});

/** ONNX Runtime promises no bit equality between batch sizes. */
function withoutNoise(text: string): string {
  return text.replace(/\d\.\d{5}\d+/g, (number) => Number(number).toFixed(4));
}
