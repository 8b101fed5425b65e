import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aRepository, sluice } from "../support/cli.ts";
import { isInstalled } from "../support/external.ts";
import { type Daemon, freeSubnet, hasDaemon, startDaemon } from "../target/docker/daemon.ts";
import { freePorts } from "../target/haproxy/fixture.ts";

setDefaultTimeout(120_000);

describe.skipIf(!hasDaemon() || !isInstalled("haproxy"))("--environment docker", () => {
  let daemon: Daemon;
  let repository: Awaited<ReturnType<typeof aRepository>>;
  let port: number;
  const run = (...args: string[]) => sluice(repository.path, ...args, "--environment", "docker");

  beforeAll(async () => {
    daemon = await startDaemon();
    repository = await aRepository("magika/3.2.0", "magika/3.3.0");
    [port] = await freePorts();
    const policy = join(repository.path, "policies/environments/docker.yaml");
    const changed = (await readFile(policy, "utf8"))
      .replace(/unix:\/\/\S+/, daemon.host)
      .replace("127.0.0.1:8080", `127.0.0.1:${port}`)
      .replace(/subnet: \S+ /, `subnet: ${await freeSubnet()} `);
    await writeFile(policy, changed);
  });
  afterAll(async () => {
    await run("site", "down");
    await daemon.close();
    await repository[Symbol.asyncDispose]();
  });

  test("deploy says which image the daemon lacks, and how to make it", async () => {
    const { exit, stderr } = await run("deploy");
    expect(stderr).toContain("Cannot use image localhost/sluice/magika:3.3.0-bun");
    expect(stderr).toContain("next: sluice image build");
    expect(exit).toBe(5);
  });

  test("site up brings HAProxy up, site status shows it, site down ends it", async () => {
    expect((await run("site", "status")).stdout).toContain("The site is down");
    expect((await run("site", "up")).stdout).toContain(`The site listens at http://127.0.0.1:${port}`);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
    const { site } = JSON.parse((await run("status", "--json")).stdout);
    expect(site).toMatchObject({ address: `http://127.0.0.1:${port}`, weights: {}, revisions: [] });
    expect((await run("site", "down")).exit).toBe(0);
    expect((await run("site", "status")).stdout).toContain("The site is down");
  });
});
