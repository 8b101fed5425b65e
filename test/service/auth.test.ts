import { expect, setDefaultTimeout, test } from "bun:test";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { type KeyEntry, KeyFile } from "../../pipeline/src/spec/keys.ts";
import { createKeyring } from "../../service/src/keyring.ts";
import { patience, sample, testService } from "../support/service-app.ts";

setDefaultTimeout(patience);

const now = Date.parse("2026-06-01T00:00:00Z");
const past = "2026-05-31T23:59:59Z";
const future = "2026-06-01T00:00:01Z";

function ring(change: Partial<KeyEntry> = {}) {
  const key = newKey("web");
  const entry: KeyEntry = { id: "web", digest: digestKey(key), scopes: ["predict"], ...change };
  return { key, keyring: createKeyring({ schema: "sluice/keys/v1", keys: [entry] }) };
}

test.each<[string, Partial<KeyEntry>, boolean]>([
  ["takes a key", {}, true],
  ["takes a key that expires later", { expiresAt: future }, true],
  ["refuses an expired key", { expiresAt: past }, false],
  ["refuses a revoked key", { revokedAt: past }, false],
  ["refuses a key whose digest differs", { digest: digestKey(newKey("web")) }, false],
  ["refuses a key of another id", { id: "other" }, false],
])("keyring.verify() %s", async (_, change, taken) => {
  const { key, keyring } = ring(change);
  expect((await keyring.verify(key, now)) !== undefined).toBe(taken);
});

test.each(["", "web", "sluice_web_", "sluice_web_AAAA", "x".repeat(100_000)])(
  "keyring.verify() refuses what is no key: %p",
  async (token) => {
    expect(await ring().keyring.verify(token, now)).toBeUndefined();
  },
);

test("keys differ, carry their id, and only their digest is needed", () => {
  const [first, second] = [newKey("web"), newKey("web")];
  expect(first).toMatch(/^sluice_web_[A-Za-z0-9_-]{32}$/);
  expect(first).not.toBe(second);
  expect(() => newKey("Web_1")).toThrow();
});

test("KeyFile refuses two keys of one id", () => {
  const entry = { id: "web", digest: digestKey("x"), scopes: ["read"] };
  expect(KeyFile.safeParse({ schema: "sluice/keys/v1", keys: [entry, entry] }).success).toBe(false);
});

test.each([
  ["no header", "", "credentials-missing", 401],
  ["an unknown key", `Bearer ${newKey("web")}`, "credentials-invalid", 401],
  ["another scheme", "Basic dGVzdGVyOng=", "credentials-invalid", 401],
  ["an empty token", "Bearer ", "credentials-invalid", 401],
] as const)("a guarded route answers %s with a challenge", async (_, authorization, code, status) => {
  await using service = await testService();
  const init = authorization === "" ? {} : { headers: { authorization } };
  for (const path of ["/v1/models", "/v1/release", "/metrics", "/openapi.json"]) {
    const response = await service.app.request(path, init);
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
    expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
  }
});

test("every route but /livez and /readyz asks for a key", async () => {
  await using service = await testService();
  const { paths } = await (await service.ask("/openapi.json")).json();
  const open: string[] = [];
  for (const [path, methods] of Object.entries<Record<string, unknown>>(paths)) {
    for (const method of Object.keys(methods)) {
      const response = await service.app.request(path, { method: method.toUpperCase() });
      if (response.status !== 401) open.push(path);
    }
  }
  expect(open).toEqual(["/livez", "/readyz"]);
});

test("a key reaches only the routes of its scopes", async () => {
  const { key, keyring } = ring();
  await using service = await testService({ deps: { keyring } });
  const authorization = `Bearer ${key}`;
  expect((await service.predict(sample, { authorization })).status).toBe(200);
  for (const path of ["/v1/models", "/v1/release", "/metrics", "/openapi.json"]) {
    const response = await service.ask(path, { headers: { authorization } });
    expect([response.status, (await response.json()).code]).toEqual([403, "scope-missing"]);
  }
});

test("no log line and no answer ever holds the key that was sent", async () => {
  await using service = await testService();
  const stranger = newKey("web");
  const answers = [
    await service.predict(sample),
    await service.predict(sample, { authorization: `Bearer ${stranger}` }),
  ];
  const said = JSON.stringify(service.log) + (await Promise.all(answers.map((answer) => answer.text()))).join();
  expect(service.log.length).toBe(2);
  expect(said).not.toContain(service.key);
  expect(said).not.toContain(stranger);
});
