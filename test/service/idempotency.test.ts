import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { MemoryStore } from "../../service/src/idempotency/memory.ts";
import { openSqliteStore, SqliteStore } from "../../service/src/idempotency/sqlite.ts";
import { createKeyring } from "../../service/src/keyring.ts";
import { idempotencyStoreSuite } from "../conformance/idempotency.ts";
import { temporaryFolder } from "../support/folder.ts";
import { patience, sample, testService } from "../support/service-app.ts";
import { featuresOf, wild, wildModel } from "../support/service-model.ts";

setDefaultTimeout(patience);

idempotencyStoreSuite("MemoryStore", async (bound) => new MemoryStore(bound));
idempotencyStoreSuite("SqliteStore", async (bound) => new SqliteStore(new DatabaseSync(":memory:"), bound));

test("two SqliteStores on one file share keys, and a new one remembers", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "answers.db");
  const [first, second] = [await openSqliteStore(path), await openSqliteStore(path)];
  const times = { now: 1_000, claimEndsAt: 2_000 };
  expect(first.begin("a", "f", times).state).toBe("begun");
  expect(second.begin("a", "f", times).state).toBe("running");
  second.finish("a", { status: 200, contentType: "x", headers: {}, body: Uint8Array.of(1) }, 9_000);
  first.close();
  second.close();
  const third = await openSqliteStore(path);
  expect(third.begin("a", "f", times).state).toBe("done");
  third.close();
});

test("the same Idempotency-Key and body give the same answer, marked, without asking the model again", async () => {
  await using service = await testService();
  const headers = { "idempotency-key": '"8e03978e-40d5"' };
  const first = await service.predict(sample, headers);
  const again = await service.predict(sample, headers);
  expect([first.status, first.headers.get("idempotency-replayed")]).toEqual([200, null]);
  expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
  expect(await again.text()).toBe(await first.text());
  const metrics = await (await service.ask("/metrics")).text();
  expect(metrics).toMatch(/sluice_batch_size_sum\{[^}]*\} 1\n/);
});

test("the same Idempotency-Key with another body is refused with 422", async () => {
  await using service = await testService();
  const headers = { "idempotency-key": "k1" };
  await service.predict(sample, headers);
  const response = await service.predict(featuresOf(3), headers);
  expect([response.status, (await response.json()).code]).toEqual([422, "idempotency-key-reused"]);
});

test("the same Idempotency-Key while the first request runs is refused with 409", async () => {
  await using model = await wildModel();
  await using service = await testService({ dirs: [model.dir], limits: { deadlineMs: 500 } });
  const headers = { "idempotency-key": "k1" };
  const hung = service.predict(featuresOf(wild.hang), headers);
  const second = await service.predict(featuresOf(wild.hang), headers);
  expect([second.status, (await second.json()).code]).toEqual([409, "idempotency-in-flight"]);
  await hung;
});

test.each([
  ["a model's failure", featuresOf(wild.fail), 500],
  ["a refused body", { features: [] }, 422],
])("the answer to %s is not kept: the key may be sent again", async (_, body, status) => {
  await using model = await wildModel();
  await using service = await testService({ dirs: [model.dir] });
  const headers = { "idempotency-key": "k1" };
  expect((await service.predict(body, headers)).status).toBe(status);
  const again = await service.predict(sample, headers);
  expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, null]);
});

test("an Idempotency-Key belongs to its principal, and to its path", async () => {
  const [key, other] = [newKey("one"), newKey("two")];
  const keys = [key, other].map((text, i) => ({
    id: i === 0 ? "one" : "two",
    digest: digestKey(text),
    scopes: ["predict" as const],
  }));
  await using service = await testService({ deps: { keyring: createKeyring({ schema: "sluice/keys/v1", keys }) } });
  const headers = { "idempotency-key": "k1", authorization: `Bearer ${key}` };
  await service.predict(sample, headers);
  const stranger = await service.predict(sample, { ...headers, authorization: `Bearer ${other}` });
  expect(stranger.headers.get("idempotency-replayed")).toBeNull();
  const elsewhere = await service.ask("/v1/models/tabular/versions/1.0.0/predict", {
    method: "POST",
    body: JSON.stringify(sample),
    headers: { ...headers, "content-type": "application/json" },
  });
  expect([elsewhere.status, elsewhere.headers.get("idempotency-replayed")]).toEqual([200, null]);
});

test.each(["", '""', "a b", "x".repeat(256), '"open', "ä"])(
  "the Idempotency-Key %p is refused with 400",
  async (key) => {
    await using service = await testService();
    const response = await service.predict(sample, { "idempotency-key": key });
    expect([response.status, (await response.json()).code]).toEqual([400, "idempotency-key-invalid"]);
  },
);
