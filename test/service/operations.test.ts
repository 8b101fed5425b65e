import { expect, setDefaultTimeout, test } from "bun:test";
import { createSplitApps, type Deps } from "../../service/src/app.ts";
import { patience, testService } from "../support/service-app.ts";

setDefaultTimeout(patience);

test("with a second port, metrics, description and docs are on that one only", async () => {
  let deps: Deps | undefined;
  await using service = await testService({ onDeps: (made) => (deps = made), deps: { docs: true } });
  if (deps === undefined) throw new Error("There are no dependencies");
  const { app, operations } = createSplitApps(deps);
  const headers = { authorization: `Bearer ${service.key}` };
  for (const path of ["/metrics", "/openapi.json", "/docs"]) {
    expect([path, (await app.request(path, { headers })).status]).toEqual([path, 404]);
    expect([path, (await operations.request(path, { headers })).status]).toEqual([path, 200]);
  }
  expect((await operations.request("/v1/models", { headers })).status).toBe(404);
  expect((await app.request("/v1/models", { headers })).status).toBe(200);
  for (const one of [app, operations]) expect((await one.request("/readyz")).status).toBe(200);
  const { paths } = await (await operations.request("/openapi.json", { headers })).json();
  expect(Object.keys(paths)).toContain("/v1/models/tabular/predict");
});

test("/docs is off by default", async () => {
  await using service = await testService();
  expect((await service.ask("/docs")).status).toBe(404);
});

test("/docs lists every route, runs no script, and takes the key as a password", async () => {
  await using service = await testService({ deps: { docs: true } });
  const refused = await service.app.request("/docs");
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, expect.stringContaining("Basic")]);
  const authorization = `Basic ${btoa(`me:${service.key}`)}`;
  const response = await service.app.request("/docs", { headers: { authorization } });
  const text = await response.text();
  expect(response.status).toBe(200);
  expect(response.headers.get("content-security-policy")).toStartWith("default-src 'none'; style-src 'sha256-");
  expect(text).not.toContain("<script");
  const { paths } = await (await service.ask("/openapi.json")).json();
  for (const path of Object.keys(paths)) expect(text).toContain(path);
});

test("HTTP Basic opens pages only, never a model", async () => {
  await using service = await testService();
  const authorization = `Basic ${btoa(`me:${service.key}`)}`;
  expect((await service.predict({}, { authorization })).status).toBe(401);
  expect((await service.ask("/v1/models", { headers: { authorization } })).status).toBe(401);
});
