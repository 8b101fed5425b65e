import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { pullManifest } from "../../pipeline/src/release/oci/blob.ts";
import { openRegistry } from "../../pipeline/src/release/oci/registry.ts";
import { openHaproxy } from "../../pipeline/src/target/haproxy/router.ts";
import { haproxyDown, haproxyUp } from "../../pipeline/src/target/haproxy/up.ts";
import { makeBadRelease } from "../fixtures/models/bad.ts";
import { aRepository, type CliResult, calmDown, root, sluice } from "../support/cli.ts";
import { knowing } from "../support/counts.ts";
import { isInstalled } from "../support/external.ts";
import { anArchive, passedReports } from "../support/published.ts";
import { noRegistry, startRegistry } from "../support/registry.ts";
import { runtimes, type ServiceProcess, startProcess } from "../support/service-process.ts";
import { freePorts } from "../target/haproxy/fixture.ts";

const skipped = !isInstalled("haproxy") || (noRegistry && process.env.CI !== "true");

// HAProxy and docker-registry are external programs: skipped by name on a laptop without them.
describe.skipIf(skipped)("sluice image deploy, onto servers that run already", () => {
  let repository: Awaited<ReturnType<typeof aRepository>>;
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let keyFile = "";
  let keysFile = "";
  const digests = new Map<string, string>();
  const served = { requests: 100_000, errors: 0 };
  const prometheus = knowing(served);
  const key = newKey("tester");

  beforeAll(async () => {
    repository = await aRepository("magika/3.2.0", "magika/3.3.0");
    await symlink(join(root, "node_modules"), join(repository.path, "node_modules"));
    await calmDown(join(repository.path, "policies"));
    const environments = join(repository.path, "policies/environments");
    await cp(join(environments, "staging.yaml"), join(environments, "production.yaml"));
    await change(join(environments, "staging.yaml"), /^model:/m, `prometheus: ${prometheus.url}\nmodel:`);
    const staged = /(staging:\n(?: .*\n)*? +errorBudget:) tell/;
    await change(join(repository.path, "policies/admission.yaml"), staged, "$1 block");
    const rollouts = join(repository.path, "policies/rollout.yaml");
    await change(rollouts, "readySeconds: 30", "readySeconds: 5");
    registry = await startRegistry();
    keyFile = join(repository.path, "key");
    keysFile = join(repository.path, "keys.json");
    const keys = [{ id: "tester", digest: digestKey(key), scopes: ["predict", "read"] }];
    await writeFile(keyFile, key);
    await writeFile(keysFile, JSON.stringify({ schema: "sluice/keys/v1", keys }));
    for (const model of ["magika@3.2.0", "magika@3.3.0"]) await publish(model);
    await promote("magika@3.2.0");
  }, 120_000);
  afterAll(async () => {
    await registry.stop();
    await prometheus.stop();
    await repository[Symbol.asyncDispose]();
  }, 60_000);

  async function change(path: string, from: string | RegExp, to: string): Promise<void> {
    const text = await readFile(path, "utf8");
    expect(text).toMatch(from);
    await writeFile(path, text.replace(from, to));
  }

  async function publish(model: string): Promise<void> {
    const { archive, digest } = await anArchive(repository.path, model.replace("@", "-"));
    digests.set(model, digest);
    const reports = await passedReports(repository.path, model);
    const to = `${registry.host}/team/magika:${model.split("@")[1]}`;
    const flags = ["--archive", archive, "--reports", reports, "--to", to, "--environment", "staging", "--plain-http"];
    expect((await sluice(repository.path, "image", "publish", model, ...flags)).stderr).toBe("");
  }

  function address(model: string): string {
    return `${registry.host}/team/magika@${digests.get(model)}`;
  }

  async function promote(model: string): Promise<void> {
    const flags = ["--environment", "staging", "--plain-http"];
    expect((await sluice(repository.path, "image", "promote", address(model), ...flags)).exit).toBe(0);
  }

  async function tagOf(tag: string): Promise<string | undefined> {
    const ask = openRegistry({ host: registry.host, repository: "team/magika", plainHttp: true });
    return (await pullManifest(ask, tag))?.descriptor.digest;
  }

  async function start(model: string): Promise<ServiceProcess> {
    const [bun] = runtimes;
    if (bun === undefined) throw new Error("Cannot test: no runtime");
    const dir = join(repository.path, "models", model.replace("@", "/"));
    return startProcess(bun, { dirs: [dir], keyFile: keysFile, env: { SLUICE_WAIT_MS: "30000" } });
  }

  /** Runs `sluice image deploy` with these servers behind a real HAProxy; blue has all traffic at first. */
  async function deploy(
    model: string,
    running: Record<string, ServiceProcess>,
    { environment = "staging" } = {},
  ): Promise<CliResult & { weights: object }> {
    const [port, controlPort] = await freePorts();
    const folder = join(repository.path, `haproxy-${port}`);
    const servers = Object.entries(running).map(([id, { url }]) => {
      return { id, host: "127.0.0.1", port: Number(new URL(url).port), weight: id === "blue" ? 100 : 0 };
    });
    const controlBind = `127.0.0.1:${controlPort}`;
    await haproxyUp({ folder, bind: `127.0.0.1:${port}`, controlBind, servers });
    try {
      const where = ["--site", `http://127.0.0.1:${port}`, "--control", controlBind, "--key-file", keyFile];
      const flags = ["--environment", environment, ...where, "--plain-http", "--json"];
      const result = await sluice(repository.path, "image", "deploy", address(model), ...flags);
      const router = openHaproxy({ control: { host: "127.0.0.1", port: controlPort }, samplesFile: join(folder, "s") });
      return { ...result, weights: await router.readWeights() };
    } finally {
      await haproxyDown(folder, { drainSeconds: 0 });
    }
  }

  test("has a router's configuration to begin with, which HAProxy takes", async () => {
    const { exit, stdout } = await sluice(repository.path, "image", "router", "blue=127.0.0.1:1", "green=127.0.0.1:2");
    expect(exit).toBe(0);
    expect(stdout).toContain("server blue 127.0.0.1:1 weight 100");
    const file = join(repository.path, "haproxy.cfg");
    await writeFile(file, stdout);
    expect(Bun.spawnSync(["haproxy", "-c", "-q", "-f", file]).exitCode).toBe(0);
    expect((await sluice(repository.path, "image", "router", "blue")).exit).toBe(2);
  }, 60_000);

  test("says what to start where no server runs the candidate, and gives the image the tag that servers wait for", async () => {
    await using blue = await start("magika@3.2.0");
    const { exit, stdout, weights } = await deploy("magika@3.3.0", { blue });
    expect(exit).toBe(5);
    expect(JSON.parse(stdout).error.message).toContain("no server runs magika-3.3.0");
    expect(weights).toEqual({ blue: 100 });
    expect(await tagOf("staging-candidate")).toBe(digests.get("magika@3.3.0"));
  }, 120_000);

  test("gives the traffic back and leaves the environment's image where the candidate throws", async () => {
    const bad = await makeBadRelease("throws", join(repository.path, "models"));
    await publish(bad);
    await using blue = await start("magika@3.2.0");
    await using green = await start("magika@3.2.0");
    await using red = await start(bad);
    const { exit, weights } = await deploy(bad, { blue, green, red });
    expect(exit).toBe(6);
    expect(weights).toEqual({ blue: 100 });
    expect(await tagOf("staging")).toBe(digests.get("magika@3.2.0"));
  }, 180_000);

  test("moves all traffic to a sound candidate once the error budget lets it, and makes its image the environment's; then there is nothing to do", async () => {
    await using blue = await start("magika@3.2.0");
    await using green = await start("magika@3.3.0");
    await using red = await start("magika@3.2.0");
    served.errors = served.requests;
    const refused = await deploy("magika@3.3.0", { blue, green, red });
    expect([refused.exit, refused.stdout, refused.weights]).toEqual([
      3,
      expect.stringContaining("error budget is spent: 100000 of 100000 requests failed"),
      { blue: 100 },
    ]);
    served.errors = 0;
    const { exit, stdout, weights } = await deploy("magika@3.3.0", { blue, green, red });
    expect(JSON.parse(stdout).ending).toMatchObject({ candidate: "magika@3.3.0", status: "promoted" });
    expect(exit).toBe(0);
    expect(weights).toEqual({ green: 100 });
    expect(await tagOf("staging")).toBe(digests.get("magika@3.3.0"));
    expect(JSON.parse((await deploy("magika@3.3.0", { blue: green })).stdout)).toMatchObject({ unchanged: true });
  }, 180_000);

  test("keeps an unsigned image out of production, whatever runs there", async () => {
    await using blue = await start("magika@3.2.0");
    const { exit, stdout } = await deploy("magika@3.3.0", { blue }, { environment: "production" });
    expect(exit).toBe(3);
    expect(JSON.parse(stdout).error.message).toContain("sign");
  }, 60_000);
});
