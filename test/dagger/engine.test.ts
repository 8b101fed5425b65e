import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFile, cp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { openHaproxy } from "../../pipeline/src/target/haproxy/router.ts";
import { haproxyDown, haproxyPaths, haproxyUp } from "../../pipeline/src/target/haproxy/up.ts";
import { makeBadRelease } from "../fixtures/models/bad.ts";
import { edit, relock } from "../release/model-copy.ts";
import { makeDatabase } from "../stage/scan/database.ts";
import { aRepository, calmDown, root } from "../support/cli.ts";
import { runtimes, startProcess } from "../support/service-process.ts";
import { freePorts } from "../target/haproxy/fixture.ts";
import { dagger, whyNoEngine } from "./engine.ts";

const missing = whyNoEngine();
if (missing !== undefined) console.error(`skipped: the Dagger module on a real engine (${missing})`);

type Served = { stable: string; candidate: string; host?: string };

const registry = process.env.SLUICE_TEST_REGISTRY ?? "";
const password = `hunter-${crypto.randomUUID()}`;

// Minutes, not seconds: each call is a whole session of the engine.
describe.skipIf(missing !== undefined)("dagger call, on a real engine,", () => {
  let repository: Awaited<ReturnType<typeof aRepository>>;
  let database = "";
  const team = `sluice-test/${crypto.randomUUID()}`;
  /** As the engine's containers see the registry of this machine. */
  const published = `registry:${registry.split(":")[1]}/${team}/magika`;

  beforeAll(async () => {
    repository = await aRepository("magika/3.2.0", "magika/3.3.0");
    await calmDown(join(repository.path, "policies"));
    const environments = join(repository.path, "policies/environments");
    await cp(join(environments, "staging.yaml"), join(environments, "production.yaml"));
    await symlink(join(root, "node_modules"), join(repository.path, "node_modules"));
    database = await makeDatabase(new Date().toISOString());
    await rm(join(database, "writer"));
  }, 120_000);
  afterAll(async () => {
    await repository[Symbol.asyncDispose]();
    await rm(database, { recursive: true, force: true });
  }, 60_000);

  function call(...args: string[]) {
    return dagger(["call", "--source", repository.path, ...args]);
  }

  function callWithRegistry(...args: string[]) {
    const account = ["--registry", `tcp://${registry}`, "--username", "ci", "--password", "env://REGISTRY_PASSWORD"];
    return dagger(["call", "--source", repository.path, ...account, ...args], { REGISTRY_PASSWORD: password });
  }

  /** Changes the image of magika@3.3.0 by a function of Container, and pushes it to where the engine pulls from. */
  async function changed(name: string, ...change: string[]): Promise<string> {
    const address = `${registry}/${team}/${name}:1`;
    const image = ["image", "--model", "magika@3.3.0", ...change, "publish", "--address", address];
    const { exit, log, stdout } = await call(...image);
    if (exit !== 0) throw new Error(`Cannot make image ${name}: ${log.slice(-2_000)}`);
    return stdout.trim();
  }

  test("check passes a sound release, and says what every gate said", async () => {
    const { exit, stdout } = await call("check", "--database", database);
    expect(stdout).toMatch(/^verify +pass.*\nimage +pass.*\nscan +pass.*\ncontract +pass.*\nload +pass/);
    expect(exit).toBe(0);
  }, 900_000);

  test("an image says which commit it was made of, when the caller says it", async () => {
    const label = ["label", "--name", "org.opencontainers.image.revision"];
    expect((await call("image", "--model", "magika@3.3.0", ...label)).stdout.trim()).toBe("unknown");
    const known = await call("--revision", "0123abc", "image", "--model", "magika@3.3.0", ...label);
    expect(known.stdout.trim()).toBe("0123abc");
  }, 900_000);

  test("inspect refuses an image that runs as root", async () => {
    const image = await changed("root", "with-user", "--name", "0:0");
    const { exit, log } = await call("inspect", "--model", "magika@3.3.0", "--image", image, "figure");
    expect(exit).not.toBe(0);
    expect(log).toContain("image runs as 0:0, expected 65532:65532");
  }, 900_000);

  test("scan refuses an image with a known vulnerability", async () => {
    const contents = JSON.stringify({ name: "left-pad", version: "1.3.0", license: "MIT" });
    const path = "/app/node_modules/left-pad/package.json";
    const image = await changed("vulnerable", "with-new-file", "--path", path, "--contents", contents);
    const looked = ["scan", "--model", "magika@3.3.0", "--image", image, "--database", database, "figure"];
    const { exit, log } = await call(...looked);
    expect(exit).not.toBe(0);
    expect(log).toContain("upgrade left-pad 1.3.0 to 1.3.1: CVE-2026-0001 (high)");
  }, 900_000);

  test("load refuses an image that is slow", async () => {
    const dir = join(repository.path, "models/magika/3.3.2-slow");
    await cp(join(repository.path, "models/magika/3.3.0"), dir, { recursive: true });
    await edit(dir, "transformer.ts", "export function decode(", "function decodeAtOnce(");
    await appendFile(join(dir, "transformer.ts"), slowly);
    await relock(dir, { version: "3.3.2-slow" });
    // Twice: what failed once is measured again, not remembered.
    for (const _ of ["first", "second"]) {
      const { exit, log } = await call("load", "--model", "magika@3.3.2-slow", "--driver", "OWN", "figure");
      expect(exit).not.toBe(0);
      expect(log).toMatch(/load +fail/);
      expect(log).toContain('"route":"/v1/models/magika/predict"');
    }
  }, 900_000);

  test("rehearse aborts a candidate that throws", async () => {
    const bad = await makeBadRelease("throws", join(repository.path, "models"));
    const { exit, stdout } = await call("rehearse", "--model", bad, "status");
    expect(stdout.trim()).toBe("ABORTED");
    expect(exit).toBe(0);
  }, 900_000);

  test("deploy without an address ends with the rehearsal, and says how to go on", async () => {
    const { exit, stdout } = await call("deploy");
    expect(stdout).toMatch(/^verify +pass/);
    expect(stdout).toMatch(/^rehearsal promoted.*\nnext: sluice deploy magika@3.3.0 --environment laptop$/m);
    expect(exit).toBe(0);
  }, 1_800_000);

  test("rollback makes the image that was an environment's before its own again", async () => {
    const staging = ["--environment", "STAGING"];
    const addresses: string[] = [];
    for (const version of ["3.2.0", "3.3.0"]) {
      const what = ["--address", `${published}:${version}`, "--model", `magika@${version}`, "--database", database];
      const { log, stdout } = await callWithRegistry("publish", ...what, ...staging);
      expect(log.slice(-2_000)).not.toContain("Error:");
      addresses.push(stdout.trim());
    }
    const [before = "", after = ""] = addresses.map((address) => address.split("@")[1]);
    const move = async (how: string, name: string) =>
      callWithRegistry(how, "--address", `${published}:${name}`, ...staging);

    expect((await move("promote", "3.2.0")).stdout.trim()).toBe(before);
    const tooEarly = await move("rollback", "3.2.0");
    expect(tooEarly.exit).not.toBe(0);
    expect(tooEarly.log).toContain("Cannot roll staging back: no image was its own before the present one");

    expect((await move("promote", "3.3.0")).stdout.trim()).toBe(after);
    expect((await move("rollback", "3.3.0")).stdout.trim()).toBe(before);
    const status = await callWithRegistry("status", "--address", `${published}:3.3.0`);
    expect(status.stdout).toContain(`staging      ${before}`);
  }, 1_800_000);

  test("deploy takes a release through every gate, the registry and the rehearsal to servers of this machine", async () => {
    const scanned = ["--database", database];
    const staging = ["--environment", "STAGING"];
    await using servers = await serversOfThisMachine({ stable: "3.2.0", candidate: "3.3.0" });
    const place = [
      "--site",
      `tcp://${servers.site}`,
      "--router",
      `unix://${servers.socket}`,
      "--key",
      `file://${servers.keyFile}`,
    ];
    const to = ["--address", `${published}:3.3.0`];
    const why = ["--override", "a test", "--override-budget", "a test"];
    const deployed = await callWithRegistry("deploy", ...staging, ...to, ...scanned, ...place, ...why);
    const { exit, stdout, log } = deployed;
    expect(log.slice(-2_000)).not.toContain("Error:");
    expect(stdout).toContain("rehearsal promoted");
    expect(stdout).toContain("rollout promoted");
    expect(exit).toBe(0);
    expect(await servers.readWeights()).toEqual({ green: 100 });
    for (const text of [stdout, log]) {
      expect(text).not.toContain(password);
      expect(text).not.toContain(servers.key);
    }
  }, 1_800_000);

  test("roll-out, after another one, finds HAProxy at the addresses that the environment names", async () => {
    await using servers = await serversOfThisMachine({ stable: "3.3.0", candidate: "3.2.0", host: hostAddress() });
    const file = join(repository.path, "policies/environments/staging.yaml");
    const target = `target: { kind: bound, address: "http://${servers.site}", control: "${servers.control}" }`;
    await writeFile(file, (await readFile(file, "utf8")).replace(/^target: .*$/m, target));
    const to = ["--environment", "STAGING", "--address", `${published}:3.2.0`, "--key", `file://${servers.keyFile}`];
    const why = ["--override", "a test", "--override-budget", "a test"];
    const { exit, stdout, log } = await callWithRegistry("roll-out", ...to, ...why, "status");
    expect(log.slice(-2_000)).not.toContain("Error:");
    expect([exit, stdout.trim()]).toEqual([0, "PROMOTED"]);
    expect(await servers.readWeights()).toEqual({ green: 100 });
  }, 1_800_000);

  test("promote keeps an unsigned image out of production", async () => {
    const { exit, log } = await callWithRegistry(
      "promote",
      "--address",
      `${published}:3.3.0`,
      "--environment",
      "PRODUCTION",
    );
    expect(exit).not.toBe(0);
    expect(log).toContain("sign");
  }, 900_000);

  /** Blue and red serve stable, green the candidate; blue has the traffic. `host` is where HAProxy listens. */
  async function serversOfThisMachine({ stable, candidate, host = "127.0.0.1" }: Served) {
    const folder = join(repository.path, `servers-${host}`);
    const key = newKey("tester");
    const keyFile = join(repository.path, "key");
    const keysFile = join(repository.path, "keys.json");
    const keys = [{ id: "tester", digest: digestKey(key), scopes: ["predict", "read"] }];
    await writeFile(keyFile, key);
    await writeFile(keysFile, JSON.stringify({ schema: "sluice/keys/v1", keys }));
    const [bun] = runtimes;
    if (bun === undefined) throw new Error("Cannot test: no runtime");
    const start = (version: string) =>
      startProcess(bun, {
        dirs: [join(repository.path, "models/magika", version)],
        keyFile: keysFile,
        env: { SLUICE_WAIT_MS: "30000" },
      });
    const running = { blue: await start(stable), green: await start(candidate), red: await start(stable) };
    const servers = Object.entries(running).map(([id, { url }]) => {
      return { id, host: "127.0.0.1", port: Number(new URL(url).port), weight: id === "blue" ? 100 : 0 };
    });
    const [port, controlPort] = await freePorts();
    const [site, control] = [`${host}:${port}`, `${host}:${controlPort}`];
    await haproxyUp({ folder, bind: site, controlBind: control, servers });
    const { socket } = haproxyPaths(folder);
    const router = openHaproxy({ control: { path: socket }, samplesFile: join(folder, "test-samples.json") });
    return {
      ...{ key, keyFile, socket, site, control },
      readWeights: () => router.readWeights(),
      [Symbol.asyncDispose]: async () => {
        await haproxyDown(folder, { drainSeconds: 0 });
        for (const server of Object.values(running)) await server[Symbol.asyncDispose]();
      },
    };
  }
});

/** Where the engine's containers reach this machine. */
function hostAddress(): string {
  const outer = Object.values(networkInterfaces()).flatMap((all = []) => all.filter(({ internal }) => !internal));
  const address = outer.find(({ family }) => family === "IPv4")?.address;
  if (address === undefined) throw new Error("Cannot test: this machine has no address that a container could reach");
  return address;
}

const slowly = `
let calls = 0;

/** Blocks for 1.5 s on every answer after the 46 that make the service ready: made to be too slow. */
export function decode(...args: Parameters<typeof decodeAtOnce>): ReturnType<typeof decodeAtOnce> {
  const until = performance.now() + (++calls > 46 ? 1_500 : 0);
  while (performance.now() < until);
  return decodeAtOnce(...args);
}
`;
