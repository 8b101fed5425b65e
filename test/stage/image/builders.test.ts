import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Images } from "../../../pipeline/src/spec/images.ts";
import { explain } from "../../../pipeline/src/spec/verdict.ts";
import { unpackImage } from "../../../pipeline/src/stage/image/archive.ts";
import { type Builder, buildImage } from "../../../pipeline/src/stage/image/build.ts";
import { inspectImage } from "../../../pipeline/src/stage/image/image.ts";
import { runTool } from "../../../pipeline/src/stage/tool.ts";
import { isInstalled } from "../../support/external.ts";
import { type Daemon, hasDaemon, startDaemon } from "../../target/docker/daemon.ts";
import { baseArchives, buildEnvironment, localImages, makeBases, whyNoContainers } from "./bases.ts";

const home = join(import.meta.dirname, "../../..");
const modelDir = join(home, "models/magika/3.3.0");
const missing = await whyNoContainers();

// Root on Linux, Debian's container tools: buildah's own test is image.test.ts.
describe.skipIf(missing !== undefined && process.env.CI !== "true")("the service's image, built by", () => {
  let dir = "";
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-test-builders-"));
    await chmod(dir, 0o755);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function expectSound(builder: Builder, images: Images): Promise<void> {
    const archive = join(dir, `${builder}.tar`);
    const labels = { release: "r1", revision: "abc", source: "here" };
    const subject = "magika@3.3.0";
    const built = { home, model: subject, modelDir, images, labels, epoch: 0, archive } as const;
    await buildImage({ builder, runtime: "bun", network: "host", ...built });
    const { rootfs, config } = await unpackImage(archive, join(dir, builder));
    const report = await inspectImage({ subject, rootfs, config, limits: images.limits, modelDir });
    expect(explain(report.verdict)).toBe("");
    expect(report.verdict.kind).toBe("pass");
  }

  test.skipIf(!isInstalled("podman"))(
    "podman, is slim, harmless and right",
    async () => {
      const { images, remove } = await makeBases();
      try {
        await expectSound("podman", images);
      } finally {
        await remove();
      }
    },
    900_000,
  );

  test.skipIf(!hasDaemon())(
    "docker, is slim, harmless and right",
    async () => {
      const daemon = await startDaemon();
      const { PATH } = process.env;
      // The client of the daemon's own package builds without the buildx plugin, which Debian lacks.
      Object.assign(process.env, { DOCKER_HOST: daemon.host, PATH: `/usr/bin:${PATH}` });
      try {
        await importBases(daemon);
        await expectSound("docker", await localImages());
      } finally {
        delete process.env.DOCKER_HOST;
        process.env.PATH = PATH;
        await daemon.close();
      }
    },
    900_000,
  );
});

async function importBases({ host }: Daemon): Promise<void> {
  const environment = Object.entries(buildEnvironment).map(([name, value]) => `ENV ${name}=${value}`);
  for (const [name, tar] of Object.entries(await baseArchives())) {
    const changes = name === "build" ? environment.flatMap((change) => ["--change", change]) : [];
    const argv = ["--host", host, "import", ...changes, tar, `localhost/sluice-test/${name}:1`];
    const { exitCode, stderr } = await runTool("docker", argv, { timeoutMs: 300_000 });
    if (exitCode !== 0) throw new Error(`Cannot import base ${name}: ${stderr}`);
  }
}
