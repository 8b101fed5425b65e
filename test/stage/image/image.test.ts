import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageConfig } from "../../../pipeline/src/spec/image.ts";
import type { Images } from "../../../pipeline/src/spec/images.ts";
import { explain } from "../../../pipeline/src/spec/verdict.ts";
import { unpackImage } from "../../../pipeline/src/stage/image/archive.ts";
import { buildImage, type Runtime } from "../../../pipeline/src/stage/image/build.ts";
import { inspectImage } from "../../../pipeline/src/stage/image/image.ts";
import { makeBases, whyNoContainers } from "./bases.ts";

const root = join(import.meta.dirname, "../../..");
const model = "magika@3.3.0";
const modelDir = join(root, "models/magika/3.3.0");
const missing = await whyNoContainers();
if (missing !== undefined) console.error(`skipped: building images (${missing}); next: scripts/ci-tools.sh packages`);

// Needs root and Debian's container tools: skipped on a laptop without them, never in CI.
describe.skipIf(missing !== undefined && process.env.CI !== "true")("the service's image", () => {
  let images: Images;
  let remove = async () => {};
  let dir = "";
  let built: Awaited<ReturnType<typeof build>>;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-test-image-"));
    await chmod(dir, 0o755);
    // A copy that nobody edits between two builds.
    for (const name of ["bin", "package.json", "package-lock.json", ".npmrc", "pipeline", "service"]) {
      const filter = (path: string) => !path.endsWith("/node_modules");
      await cp(join(root, name), join(dir, "home", name), { recursive: true, filter });
    }
    ({ images, remove } = await makeBases());
    built = await build("bun");
  }, 900_000);
  afterAll(async () => {
    await remove();
    await rm(dir, { recursive: true, force: true });
  }, 120_000);

  async function build(name: string, { runtime = "bun", fresh = false }: { runtime?: Runtime; fresh?: boolean } = {}) {
    const archive = join(dir, `${name}.tar`);
    const labels = { release: "r1", revision: "abc", source: "here" };
    await buildImage({
      builder: "buildah",
      runtime,
      home: join(dir, "home"),
      model,
      modelDir,
      images,
      labels,
      epoch: 0,
      archive,
      fresh,
    });
    const unpacked = join(dir, name);
    return unpackImage(archive, unpacked);
  }

  test("is slim, harmless, and answers its golden inputs with everything taken away", async () => {
    const { rootfs, config } = built;
    const { limits } = images;
    const report = await inspectImage({ subject: model, rootfs, config, limits, modelDir });
    console.error(`image of ${model}: ${report.figure}`);
    expect(explain(report.verdict)).toBe("");
    expect(report.verdict).toEqual({ kind: "pass" });
  }, 600_000);

  test("runs on Deno too", async () => {
    const { rootfs, config } = await build("deno", { runtime: "deno" });
    const { limits } = images;
    const report = await inspectImage({ subject: model, rootfs, config, limits, modelDir });
    expect(explain(report.verdict)).toBe("");
  }, 600_000);

  test("has the same digest when it is built again from nothing", async () => {
    expect((await build("again", { fresh: true })).digest).toBe(built.digest);
  }, 600_000);

  test("is refused when it runs as root, or writes beside itself", async () => {
    const { rootfs, config } = built;
    const { limits } = images;
    await writeFile(join(rootfs, "app/open"), "");
    await chmod(join(rootfs, "app/open"), 0o666);
    const root: ImageConfig = { ...config, user: "0:0" };
    const report = await inspectImage({ subject: model, rootfs, config: root, limits, modelDir });
    expect(report.verdict.kind).toBe("fail");
    expect(explain(report.verdict)).toContain("image runs as 0:0, expected 65532:65532");
    expect(explain(report.verdict)).toContain("writable paths: /app/open");
  }, 600_000);

  test("is refused when its service needs what it does not get", async () => {
    const { rootfs, config } = built;
    const { limits } = images;
    await writeFile(join(rootfs, "app/needy.js"), 'require("node:fs").writeFileSync("/app/state", "x")');
    const needy: ImageConfig = { ...config, argv: ["/app/bun", "/app/needy.js"] };
    const report = await inspectImage({ subject: model, rootfs, config: needy, limits, modelDir });
    expect(report.verdict.kind).toBe("fail");
    expect(explain(report.verdict)).toContain("EROFS");
  }, 600_000);

  test("is refused when it takes more memory than its limit, by the kernel where it may", async () => {
    const { rootfs, config } = built;
    const limits = { ...images.limits, memoryMiB: 48 };
    const report = await inspectImage({ subject: model, rootfs, config, limits, modelDir });
    expect(report.verdict.kind).toBe("fail");
    expect(explain(report.verdict)).toMatch(/ended with 137|MiB of memory, limit is 48/);
  }, 600_000);
});
