import { expect, setDefaultTimeout, test } from "bun:test";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createKey, newKey, readKeys, revokeKey, writeKeys } from "../../pipeline/src/release/key.ts";
import type { KeyFile } from "../../pipeline/src/spec/keys.ts";
import { openAccess } from "../../service/src/access.ts";
import type { LogEntry } from "../../service/src/log.ts";
import { temporaryFolder } from "../support/folder.ts";
import { patience, sample, until } from "../support/service-app.ts";
import { runtimes, startProcess } from "../support/service-process.ts";

setDefaultTimeout(patience);

const empty: KeyFile = { schema: "sluice/keys/v1", keys: [] };

async function opened(file: KeyFile) {
  const folder = await temporaryFolder();
  const path = join(folder.path, "keys.json");
  await writeKeys(path, file);
  const said: LogEntry[] = [];
  const log = { write: (entry: LogEntry) => said.push(entry) };
  const access = await openAccess({ keys: path, jwt: undefined }, log);
  const close = async () => {
    access.stop();
    await folder[Symbol.asyncDispose]();
  };
  return { path, said, verify: (key: string) => access.keyring.verify(key, Date.now()), [Symbol.asyncDispose]: close };
}

test("createKey() adds a key once, and revokeKey() ends it", () => {
  const { file, key } = createKey(empty, { id: "web", scopes: ["predict"] });
  expect(JSON.stringify(file)).not.toContain(key);
  expect(() => createKey(file, { id: "web", scopes: ["read"] })).toThrow("it is there already");
  const revoked = revokeKey(file, "web", "2026-01-01T00:00:00Z");
  expect(revoked.keys[0]?.revokedAt).toBe("2026-01-01T00:00:00Z");
  expect(revokeKey(revoked, "web", "2027-01-01T00:00:00Z")).toEqual(revoked);
  expect(() => revokeKey(file, "other", "2026-01-01T00:00:00Z")).toThrow("known: web");
});

test("writeKeys() writes for the owner only, and readKeys() reads it, or an absent file as an empty one", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "keys.json");
  expect(await readKeys(path)).toEqual(empty);
  const { file } = createKey(empty, { id: "web", scopes: ["predict"], expiresAt: "2030-01-01T00:00:00Z" });
  await writeKeys(path, file);
  expect(await readKeys(path)).toEqual(file);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a key file that changes is taken up, and one that is broken leaves the keys as they were", async () => {
  const first = createKey(empty, { id: "one", scopes: ["predict"] });
  await using access = await opened(first.file);
  const second = createKey(first.file, { id: "two", scopes: ["predict"] });
  expect(await access.verify(second.key)).toBeUndefined();
  await writeKeys(access.path, second.file);
  await until(async () => (await access.verify(second.key)) !== undefined);
  await Bun.write(access.path, "{");
  await until(() => access.said.some(({ level }) => level === "warn"));
  expect(await access.verify(first.key)).toBeDefined();
  await writeKeys(access.path, revokeKey(second.file, "one", "2026-01-01T00:00:00Z"));
  await until(async () => (await access.verify(first.key)) === undefined);
  expect(await access.verify(second.key)).toBeDefined();
});

test("keys are rotated under load without one lost request", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "keys.json");
  let { file, key } = createKey(empty, { id: "k0", scopes: ["predict"] });
  await writeKeys(path, file);
  const [bun] = runtimes;
  if (bun === undefined) throw new Error("There is no runtime");
  // A fast machine asks more often than one principal may.
  await using service = await startProcess(bun, { keyFile: path, env: { SLUICE_RATE: "10000000" } });
  const ask = (bearer: string) =>
    fetch(`${service.url}/v1/models/tabular/predict`, {
      method: "POST",
      body: JSON.stringify(sample),
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    });
  const statuses = new Set<number>();
  let rotating = true;
  const asked = [0, 0, 0, 0];
  const load = asked.map(async (_, lane) => {
    for (; rotating; asked[lane] = (asked[lane] ?? 0) + 1) statuses.add((await ask(key)).status);
  });
  const former = key;
  for (let i = 1; i <= 2; i += 1) {
    const next = createKey(file, { id: `k${i}`, scopes: ["predict"] });
    await writeKeys(path, next.file);
    await until(async () => (await ask(next.key)).status === 200);
    key = next.key; // clients move over while both are valid
    const moved = asked.map((count) => count + 2);
    await until(() => moved.every((count, lane) => (asked[lane] ?? 0) >= count));
    file = revokeKey(next.file, `k${i - 1}`, new Date().toISOString());
    await writeKeys(path, file);
  }
  await until(async () => (await ask(former)).status === 401);
  rotating = false;
  await Promise.all(load);
  expect([...statuses]).toEqual([200]);
  expect((await ask(newKey("k0"))).status).toBe(401);
});
