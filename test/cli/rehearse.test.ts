import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rehearse } from "../../pipeline/src/cli/rehearsal.ts";
import type { BoundStage } from "../../pipeline/src/cli/roll-bound.ts";
import { digestKey, newKey } from "../../pipeline/src/release/key.ts";
import { findModel } from "../../pipeline/src/release/models.ts";
import { readPolicies } from "../../pipeline/src/release/policies.ts";
import { summariseRollout } from "../../pipeline/src/report/summary.ts";
import { haproxyDown, haproxyUp } from "../../pipeline/src/target/haproxy/up.ts";
import { makeBadRelease } from "../fixtures/models/bad.ts";
import { aRepository, root } from "../support/cli.ts";
import { isInstalled } from "../support/external.ts";
import { runtimes, type ServiceProcess, startProcess } from "../support/service-process.ts";
import { freePorts } from "../target/haproxy/fixture.ts";

const image = (digit: string) => `sha256:${digit.repeat(64)}`;

// HAProxy is an external program: skipped by name on a laptop without it.
describe.skipIf(!isInstalled("haproxy"))("rehearse() on services that run already", () => {
  let repository: Awaited<ReturnType<typeof aRepository>>;
  let folder = "";
  let keyFile = "";
  const key = newKey("tester");
  beforeAll(async () => {
    repository = await aRepository("magika/3.2.0", "magika/3.3.0");
    // As in an image: what a transformer imports is found above it.
    await symlink(join(root, "node_modules"), join(repository.path, "node_modules"));
    folder = await mkdtemp(join(tmpdir(), "sluice-rehearse-"));
    keyFile = join(folder, "keys.json");
    const keys = [{ id: "tester", digest: digestKey(key), scopes: ["predict", "read"] }];
    await writeFile(keyFile, JSON.stringify({ schema: "sluice/keys/v1", keys }));
  }, 60_000);
  afterAll(async () => {
    await repository[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function outcomeOf(candidate: string) {
    const modelsDir = join(repository.path, "models");
    const [stableDir, candidateDir] = [
      await findModel(modelsDir, "magika@3.2.0"),
      await findModel(modelsDir, candidate),
    ];
    const policies = await readPolicies(join(repository.path, "policies"), "local");
    await using stable = await start(stableDir);
    await using baseline = await start(stableDir);
    await using canary = await start(candidateDir);
    const haproxy = await routerOf({ stable, baseline, canary });
    try {
      const parts = {
        stable: { modelDir: stableDir, image: image("a") },
        candidate: { modelDir: candidateDir, image: image("b") },
      };
      const addresses = { stable: stable.url, baseline: baseline.url, canary: canary.url };
      const stage: BoundStage = { addresses, site: haproxy.site, control: haproxy.control, key };
      return summariseRollout(await rehearse(parts, stage, { policies, onEntry: () => {} }));
    } finally {
      await haproxyDown(haproxy.folder, { drainSeconds: 0 });
    }
  }

  async function start(dir: string): Promise<ServiceProcess> {
    const [bun] = runtimes;
    if (bun === undefined) throw new Error("Cannot test: no runtime");
    return startProcess(bun, { dirs: [dir], keyFile });
  }

  async function routerOf(arms: Record<"stable" | "baseline" | "canary", ServiceProcess>) {
    const [port, controlPort] = await freePorts();
    const servers = Object.entries(arms).map(([id, { url }]) => {
      return { id, host: "127.0.0.1", port: Number(new URL(url).port), weight: id === "stable" ? 100 : 0 };
    });
    const where = await mkdtemp(join(folder, "haproxy-"));
    const controlBind = `127.0.0.1:${controlPort}`;
    await haproxyUp({ folder: where, bind: `127.0.0.1:${port}`, controlBind, servers });
    return { folder: where, site: `http://127.0.0.1:${port}`, control: { host: "127.0.0.1", port: controlPort } };
  }

  test("promotes a sound candidate through every step", async () => {
    const { status, steps } = await outcomeOf("magika@3.3.0");
    expect(status).toBe("promoted");
    expect(steps.length).toBe(2);
  }, 180_000);

  test("aborts a candidate that throws in one of ten calls", async () => {
    const bad = await makeBadRelease("throws", join(repository.path, "models"));
    const { status, reason } = await outcomeOf(bad);
    expect(status).toBe("aborted");
    expect(reason).toContain("error");
  }, 180_000);
});
