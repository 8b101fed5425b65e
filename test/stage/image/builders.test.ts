import { expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { explain } from "../../../pipeline/src/spec/verdict.ts";
import { unpackImage } from "../../../pipeline/src/stage/image/archive.ts";
import { buildImage } from "../../../pipeline/src/stage/image/build.ts";
import { inspectImage } from "../../../pipeline/src/stage/image/image.ts";
import { isInstalled } from "../../support/external.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { makeBases, whyNoContainers } from "./bases.ts";

const home = join(import.meta.dirname, "../../..");
const modelDir = join(home, "models/magika/3.3.0");
const missing = await whyNoContainers();
const isSkipped = (missing !== undefined && process.env.CI !== "true") || !isInstalled("podman");

// Root on Linux, Debian's container tools. Buildah's own test is image.test.ts, Docker's is e2e/docker.test.ts.
test.skipIf(isSkipped)(
  "the service's image, built by podman, is slim, harmless and right",
  async () => {
    const { images, remove } = await makeBases();
    await using folder = await temporaryFolder();
    try {
      await chmod(folder.path, 0o755);
      const labels = { release: "r1", revision: "abc", source: "here" };
      const subject = "magika@3.3.0";
      const archive = join(folder.path, "image.tar");
      const built = { home, model: subject, modelDir, images, labels, epoch: 0, archive } as const;
      await buildImage({ builder: "podman", runtime: "bun", network: "host", ...built });
      const { rootfs, config } = await unpackImage(archive, join(folder.path, "image"));
      const report = await inspectImage({ subject, rootfs, config, limits: images.limits, modelDir });
      expect(explain(report.verdict)).toBe("");
      expect(report.verdict.kind).toBe("pass");
    } finally {
      await remove();
    }
  },
  900_000,
);
