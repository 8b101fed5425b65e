import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestBytes } from "../../../pipeline/src/release/digest.ts";
import { attach, readAttached } from "../../../pipeline/src/release/oci/attach.ts";
import { pushLayout, retag } from "../../../pipeline/src/release/oci/push.ts";
import { type Ask, openRegistry } from "../../../pipeline/src/release/oci/registry.ts";
import { parseReference } from "../../../pipeline/src/spec/oci.ts";

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

const missing = spawnSync("docker-registry", ["--version"]).error !== undefined;

// Debian's docker-registry has no referrers API: what is attached goes by the fallback tag.
describe.skipIf(missing && process.env.CI !== "true")("a real registry", () => {
  let registry: ChildProcess;
  let folder = "";
  let ask: Ask;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-registry-"));
    const port = await freePort();
    const config = join(folder, "config.yml");
    const storage = `storage: {filesystem: {rootdirectory: ${folder}/data}}`;
    const log = "log: {accesslog: {disabled: true}, level: error}";
    await writeFile(config, `version: 0.1\n${log}\n${storage}\nhttp: {addr: "127.0.0.1:${port}"}\n`);
    registry = spawn("docker-registry", ["serve", config], {
      stdio: "ignore",
      env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: "none" },
    });
    const host = `127.0.0.1:${port}`;
    ask = openRegistry({ host, repository: "team/app", plainHttp: true });
    while (
      !(await fetch(`http://${host}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await Bun.sleep(20);
  }, 60_000);
  afterAll(async () => {
    registry.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  test("gets an image byte for byte, another tag for it, and what is attached back", async () => {
    const layout = await aLayout(folder);
    const pushed = await pushLayout(ask, layout.path, "1.0");
    expect(pushed.digest).toBe(layout.digest);
    expect((await retag(ask, pushed.digest, "production")).digest).toBe(layout.digest);

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

async function aLayout(folder: string): Promise<{ path: string; digest: string }> {
  const path = join(folder, "layout");
  await mkdir(join(path, "blobs/sha256"), { recursive: true });
  const put = async (mediaType: string, text: string) => {
    const bytes = new TextEncoder().encode(text);
    const digest = digestBytes(bytes);
    await writeFile(join(path, "blobs", digest.replace(":", "/")), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const config = await put("application/vnd.oci.image.config.v1+json", "{}");
  const layers = [await put("application/vnd.oci.image.layer.v1.tar", "layer")];
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await put(type, JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers }));
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  return { path, digest: manifest.digest };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
