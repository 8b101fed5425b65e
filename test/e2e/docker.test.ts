// A whole release onto a Docker daemon: images by Sluice's own builder, containers, HAProxy on the host, and the way back.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { importBases, localImages, whyNoContainers } from "../stage/image/bases.ts";
import { aRepository, calmDown, keyOf, sluice, startCli, untilPrinted } from "../support/cli.ts";
import { startClient } from "../support/client.ts";
import { isInstalled } from "../support/external.ts";
import { type Daemon, freeSubnet, hasDaemon, startDaemon } from "../target/docker/daemon.ts";
import { freePorts } from "../target/haproxy/fixture.ts";

setDefaultTimeout(900_000);

const missing = await whyNoContainers();
const isSkipped = !hasDaemon() || !isInstalled("haproxy") || (missing !== undefined && process.env.CI !== "true");

const Named = z.array(z.object({ Id: z.string() }));
const Inspected = z.object({
  Image: z.string(),
  Config: z.object({ User: z.string(), Labels: z.record(z.string(), z.string()) }),
  HostConfig: z.record(z.string(), z.unknown()),
});
type Inspected = z.output<typeof Inspected>;

/** What every container is held to; the limits are those of images.yaml. */
const hardened = {
  ReadonlyRootfs: true,
  Privileged: false,
  CapAdd: null,
  CapDrop: ["ALL"],
  SecurityOpt: ["no-new-privileges"],
  PidsLimit: 256,
  Memory: 512 * 2 ** 20,
  MemorySwap: 512 * 2 ** 20,
};

// Root on Linux, Debian's dockerd, HAProxy and container tools: skipped by name elsewhere, never in CI.
describe.skipIf(isSkipped)("the service's image, built by docker", () => {
  const { PATH, DOCKER_HOST } = process.env;
  let daemon: Daemon;
  let repository: Awaited<ReturnType<typeof aRepository>>;
  let address = "";
  const run = (...args: string[]) => sluice(repository.path, ...args);
  const onDocker = (...args: string[]) => run(...args, "--environment", "docker");
  const archiveOf = (version: string) => join(repository.path, `${version}.tar`);

  beforeAll(async () => {
    daemon = await startDaemon();
    await importBases(daemon.host);
    repository = await aRepository("magika/3.2.0", "magika/3.3.0");
    const policies = join(repository.path, "policies");
    await writeFile(join(policies, "images.yaml"), stringify(await localImages()));
    const [port] = await freePorts();
    address = `http://127.0.0.1:${port}`;
    const environment = join(policies, "environments/docker.yaml");
    const changed = (await readFile(environment, "utf8"))
      .replace(/unix:\/\/\S+/, daemon.host)
      .replace("127.0.0.1:8080", `127.0.0.1:${port}`)
      .replace(/subnet: \S+ /, `subnet: ${await freeSubnet()} `)
      .replace(/ratePerSecond: \d+/, "ratePerSecond: 5");
    await calmDown(policies);
    await writeFile(environment, changed);
    // The client of the daemon's own package builds without the buildx plugin, which Debian lacks.
    Object.assign(process.env, { DOCKER_HOST: daemon.host, PATH: `/usr/bin:${PATH}` });
    for (const version of ["3.2.0", "3.3.0"]) {
      const flags = ["--builder", "docker", "--network", "host", "--revision", "abc", "--output", archiveOf(version)];
      expect(await run("image", "build", `magika@${version}`, ...flags)).toMatchObject({ exit: 0 });
    }
  });
  afterAll(async () => {
    await onDocker("site", "down");
    Object.assign(process.env, { PATH });
    if (DOCKER_HOST === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = DOCKER_HOST;
    await repository[Symbol.asyncDispose]();
    await daemon.close();
  });

  async function containers(): Promise<Inspected[]> {
    const running = await daemon.docker.ask("GET", "/containers/json", Named);
    return Promise.all(running.map(({ Id }) => daemon.docker.ask("GET", `/containers/${Id}/json`, Inspected)));
  }

  /** The id of a model's image, as the daemon has it. */
  async function imageOf(version: string): Promise<string> {
    const path = `/images/localhost/sluice/magika:${version}-bun/json`;
    return (await daemon.docker.ask("GET", path, z.object({ Id: z.string() }))).Id;
  }

  async function status() {
    return JSON.parse((await onDocker("status", "--json")).stdout);
  }

  test("is slim, harmless and right", async () => {
    const { exit, stdout } = await run("image", "inspect", "magika@3.3.0", "--archive", archiveOf("3.3.0"));
    expect([exit, stdout]).toEqual([0, expect.stringContaining("pass")]);
  });

  test("is released through hardened containers and returned from, and no request is lost", async () => {
    const [before, after] = [await imageOf("3.2.0"), await imageOf("3.3.0")];
    expect(before).not.toBe(after);
    expect(await onDocker("deploy", "magika@3.2.0")).toMatchObject({ exit: 0 });
    const key = await keyOf(repository.path);
    const client = startClient(address, key);
    await client.answered(5);

    const deploy = startCli(repository.path, "deploy", "magika@3.3.0", "--environment", "docker", "--json");
    await untilPrinted(deploy, "canary has weight 20");
    const arms = await containers();
    expect(arms.map(({ Image }) => Image).toSorted()).toEqual([before, before, after].toSorted());
    for (const { Config, HostConfig } of arms) {
      expect(Config.User).toBe("65532:65532");
      expect(Config.Labels).toMatchObject({ "org.opencontainers.image.revision": "abc" });
      expect(HostConfig).toMatchObject(hardened);
    }
    const { exit, stdout, stderr } = await deploy.result;
    expect([exit, stderr]).toEqual([0, expect.stringContaining("promoted: every step passed")]);
    const { rollout } = JSON.parse(stdout);
    expect(rollout).toMatchObject({
      status: "promoted",
      candidate: { code: { kind: "image", digest: after, reference: "localhost/sluice/magika:3.3.0-bun" } },
      stable: { code: { kind: "image", digest: before } },
    });
    const { site } = await status();
    expect([site.stable, site.weights]).toEqual([rollout.arms.canary, { [rollout.arms.canary]: 100 }]);
    expect((await containers()).map(({ Image }) => Image)).toEqual([after]);

    expect(await onDocker("rollback", "--reason", "practice")).toMatchObject({ exit: 0 });
    const back = await status();
    expect(back.rollout).toMatchObject({ status: "promoted", candidate: { id: rollout.stable.id } });
    expect(back.site.weights).toEqual({ [back.site.stable]: 100 });
    const [only, ...others] = await containers();
    expect([only?.Image, others]).toEqual([before, []]);
    expect(only?.HostConfig).toMatchObject(hardened);
    await client.answered(5);
    const budget = JSON.parse((await onDocker("budget", "--json")).stdout);
    expect(budget.source).toBe("HAProxy's history");
    expect(budget.requests).toBeGreaterThan(50);
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(seen.answers).toBeGreaterThan(50);
  });
});
