import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attach, readAttached } from "../../../pipeline/src/release/oci/attach.ts";
import { pushLayout, retag } from "../../../pipeline/src/release/oci/push.ts";
import { type Ask, openRegistry } from "../../../pipeline/src/release/oci/registry.ts";
import { parseReference } from "../../../pipeline/src/spec/oci.ts";
import { writeLayout } from "../../support/layout.ts";
import { freePort, noRegistry, startRegistry } from "../../support/registry.ts";

test.each([
  ["registry.example/team/app:1.0", { host: "registry.example", repository: "team/app", name: "1.0" }],
  ["127.0.0.1:5000/app:1", { host: "127.0.0.1:5000", repository: "app", name: "1" }],
] as const)("parseReference() splits %s", (text, parts) => {
  expect(parseReference(text)).toEqual(parts);
});

test("parseReference() takes the digest of an address that has both", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  expect(parseReference(`r.example/app:1@${digest}`).name).toBe(digest);
});

test.each(["app", "r.example/app", "r.example/APP:1", "http://r.example/app:1"])(
  "parseReference() refuses %s",
  (text) => {
    expect(() => parseReference(text)).toThrow("Cannot use address");
  },
);

describe.skipIf(noRegistry && process.env.CI !== "true")("a real registry", () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let folder = "";
  let ask: Ask;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-layout-"));
    registry = await startRegistry();
    ask = openRegistry({ host: registry.host, repository: "team/app", plainHttp: true });
  }, 60_000);
  afterAll(async () => {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("gets an image byte for byte, another tag for it, and what is attached back", async () => {
    const digest = await writeLayout(folder, "layer");
    const pushed = await pushLayout(ask, folder, "1.0");
    expect(pushed.digest).toBe(digest);
    expect((await retag(ask, digest, "production")).digest).toBe(digest);

    const type = "application/vnd.example+json";
    for (const text of ["one", "two", "two"]) {
      await attach(ask, pushed, { artifactType: type, bytes: new TextEncoder().encode(text) });
    }
    const texts = (await readAttached(ask, pushed, type)).map((bytes) => new TextDecoder().decode(bytes));
    expect(texts).toEqual(["one", "two"]);
    expect(await readAttached(ask, pushed, "application/other")).toEqual([]);
  });

  test("says so when there is no such image, or no registry", async () => {
    await expect(retag(ask, "never", "production")).rejects.toThrow("Cannot find never");
    const nowhere = openRegistry({ host: `127.0.0.1:${await freePort()}`, repository: "a", plainHttp: true });
    await expect(retag(nowhere, "1", "2")).rejects.toThrow("Cannot reach registry");
  });
});

test("a registry that asks for a password gets it as a token's price, and nobody else does", async () => {
  const seen: (string | null)[] = [];
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const { pathname, origin } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      if (pathname === "/token") {
        seen.push(authorization);
        return Response.json({ token: "abc" });
      }
      if (authorization === "Bearer abc") return new Response("{}");
      const challenge = `Bearer realm="${origin}/token",service="r",scope="repository:a:pull"`;
      return new Response("", { status: 401, headers: { "www-authenticate": challenge } });
    },
  });
  const credentials = { username: "ci", password: "hunter2" };
  const ask = openRegistry({ host: `127.0.0.1:${server.port}`, repository: "a", plainHttp: true, credentials });
  expect((await ask("GET", "manifests/1", { expect: [200] })).status).toBe(200);
  expect(seen).toEqual([`Basic ${btoa("ci:hunter2")}`]);
});
