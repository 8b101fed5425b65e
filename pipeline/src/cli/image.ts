import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes, exitOfVerdict } from "../decide/exit.ts";
import { findModel } from "../release/models.ts";
import { renderReports } from "../report/text.ts";
import { Images } from "../spec/images.ts";
import { readYaml } from "../spec/read.ts";
import { unpackImage } from "../stage/image/archive.ts";
import { Builder, buildImage, Runtime } from "../stage/image/build.ts";
import { inspectImage } from "../stage/image/image.ts";
import { addCommand } from "./command.ts";
import { registerDeploy } from "./deploy-image.ts";
import { home } from "./host.ts";
import { registerLock } from "./image-lock.ts";
import { type Place, parseOptions, placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { registerPromotion } from "./promote-image.ts";
import { registerPublish } from "./publish.ts";
import { registerRouter } from "./router-config.ts";

const BuildOptions = z.object({
  builder: Builder,
  runtime: Runtime,
  output: z.string().min(1),
  network: z.string().min(1).optional(),
  revision: z.string().min(1),
  origin: z.string().min(1),
});
const InspectOptions = z.object({ archive: z.string().min(1) });

export function register(program: Command): void {
  const image = program
    .command("image")
    .description("The service's container image: build, inspect, publish, promote and deploy it.");
  registerBuild(image);
  registerInspect(image);
  registerLock(image);
  registerPublish(image);
  registerPromotion(image);
  registerDeploy(image);
  registerRouter(image);
}

function registerBuild(image: Command): void {
  addCommand(
    image,
    "build",
    {
      description: "Build the image of one model and write it to an OCI archive.",
      example: "sluice image build magika@3.3.0 --builder podman --output magika.tar",
    },
    (command) =>
      command
        .argument("<model>", "model as name@version")
        .requiredOption("--output <archive>", "file to write")
        .option("--builder <program>", `one of ${Builder.options.join(", ")}`, "docker")
        .option("--runtime <name>", `one of ${Runtime.options.join(", ")}`, "bun")
        .option("--network <mode>", "network of the build's commands, such as host (default: the builder's)")
        .option("--revision <commit>", "commit that the source is of, for the image's label", "unknown")
        .option("--origin <address>", "where the source comes from, for the image's label", "unknown"),
    async (options, [ref = ""]) => {
      const place = placeOf(options);
      const { builder, runtime, output, network, revision, origin } = parseOptions(BuildOptions, options);
      const modelDir = await findModel(place.modelsDir, ref);
      const labels = { release: ref, revision, source: origin };
      const archive = resolve(output);
      const images = await readImages(place);
      const where = network === undefined ? {} : { network };
      await buildImage({ builder, runtime, home, model: ref, modelDir, images, labels, epoch: 0, archive, ...where });
      const text = `Image of ${ref} is in ${output}; next: sluice image inspect ${ref} --archive ${output}`;
      return { exit: exitCodes.done, json: { archive }, text };
    },
  );
}

function registerInspect(image: Command): void {
  addCommand(
    image,
    "inspect",
    {
      description: "Is the image slim and harmless? Looks at every path, and runs it with everything taken away.",
      example: "sluice image inspect magika@3.3.0 --archive magika.tar",
    },
    (command) =>
      command
        .argument("<model>", "model as name@version that is in it")
        .requiredOption("--archive <file>", "the image, as an OCI archive"),
    async (options, [ref = ""]) => {
      const place = placeOf(options);
      const { archive } = parseOptions(InspectOptions, options);
      const modelDir = await findModel(place.modelsDir, ref);
      const { limits } = await readImages(place);
      const report = await inspectArchive(archive, { subject: ref, limits, modelDir });
      const text = renderReports([report], coloursFor(process.stdout));
      return { exit: exitOfVerdict(report.verdict), json: { report }, text };
    },
  );
}

async function inspectArchive(archive: string, options: Omit<Parameters<typeof inspectImage>[0], "rootfs" | "config">) {
  const dir = await mkdtemp(join(tmpdir(), "sluice-unpacked-"));
  try {
    await chmod(dir, 0o755); // the service's user must reach its root file system
    const { rootfs, config } = await unpackImage(archive, dir);
    return await inspectImage({ ...options, rootfs, config });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function readImages(place: Place): Promise<Images> {
  return readYaml(join(place.policiesDir, "images.yaml"), Images);
}
