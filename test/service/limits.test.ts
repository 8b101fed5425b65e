import { expect, setDefaultTimeout, test } from "bun:test";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { createKeyring } from "../../service/src/keyring.ts";
import { FairQueue } from "../../service/src/queue.ts";
import { createRateLimit } from "../../service/src/rate.ts";
import { patience, sample, testService } from "../support/service-app.ts";

setDefaultTimeout(patience);

test("a principal beyond its rate gets 429 with Retry-After; another one does not", async () => {
  const [key, other] = [newKey("one"), newKey("two")];
  const keys = [key, other].map((text, i) => ({
    id: i === 0 ? "one" : "two",
    digest: digestKey(text),
    scopes: ["predict" as const],
  }));
  const keyring = createKeyring({ schema: "sluice/keys/v1", keys });
  await using service = await testService({
    deps: { keyring, rateLimit: createRateLimit({ requests: 2, seconds: 60 }) },
  });
  const ask = (text: string) => service.predict(sample, { authorization: `Bearer ${text}` });
  const first = await ask(key);
  expect([first.status, first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual([
    200,
    "2",
    "1",
  ]);
  expect((await ask(key)).headers.get("ratelimit-remaining")).toBe("0");
  const refused = await ask(key);
  expect([refused.status, (await refused.json()).code]).toEqual([429, "rate-limited"]);
  expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 61);
  expect(Number(refused.headers.get("ratelimit-reset"))).toBeWithin(1, 61);
  expect((await ask(other)).status).toBe(200);
});

test("a body that does not come to its end is refused with 408", async () => {
  await using service = await testService({ deps: { limits: { maxBodyBytes: 1_000, bodyMs: 50, connections: 10 } } });
  const endless = new ReadableStream({ start: (controller) => controller.enqueue(Uint8Array.of(0x7b)) });
  const response = await service.ask("/v1/models/tabular/predict", {
    method: "POST",
    body: endless,
    headers: { "content-type": "application/json" },
  });
  expect([response.status, (await response.json()).code]).toEqual([408, "body-too-slow"]);
});

test("a body without end is refused with 413 as soon as it is too large, not when all of it has come", async () => {
  await using service = await testService();
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(16_384)) });
  const response = await service.ask("/v1/models/tabular/predict", {
    method: "POST",
    body: endless,
    headers: { "content-type": "application/json" },
  });
  expect([response.status, (await response.json()).code]).toEqual([413, "body-too-large"]);
});

test("FairQueue takes turns between principals, and keeps the order within one", () => {
  const queue = new FairQueue<string>(10);
  for (const item of ["a1", "a2", "a3", "b1", "c1", "b2"]) queue.push(item.charAt(0), item);
  const order = Array.from({ length: 6 }, () => queue.shift());
  expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  expect([queue.size, queue.shift()]).toEqual([0, undefined]);
});

test("FairQueue.ahead() says after how many items a principal's next one comes", () => {
  const queue = new FairQueue<string>(10);
  expect(queue.ahead("a")).toBe(0);
  for (const item of ["a1", "a2", "a3", "b1", "b2"]) queue.push(item.charAt(0), item);
  expect(["a", "b", "c"].map((principal) => queue.ahead(principal))).toEqual([5, 5, 2]);
});

test("FairQueue.remove() takes out what waits, once", () => {
  const queue = new FairQueue<string>(2);
  queue.push("a", "a1");
  queue.push("a", "a2");
  expect(queue.isFull).toBe(true);
  expect([queue.remove("a", "a1"), queue.remove("a", "a1"), queue.remove("b", "a2")]).toEqual([true, false, false]);
  expect([queue.size, queue.shift(), queue.shift()]).toEqual([1, "a2", undefined]);
});

test("answers carry the headers that keep a browser from misusing them, and none that names the software", async () => {
  await using service = await testService();
  for (const response of [await service.predict(sample), await service.ask("/nope"), await service.ask("/livez")]) {
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(response.headers.has("server") || response.headers.has("x-powered-by")).toBe(false);
  }
});
