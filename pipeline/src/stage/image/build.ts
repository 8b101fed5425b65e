import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { addressOf, type Images } from "../../spec/images.ts";
import { type ModelRef, splitModelRef } from "../../spec/name.ts";
import { runTool } from "../tool.ts";

/** Programs that build a Dockerfile. */
export const Builder = z.enum(["docker", "podman", "buildah"]);
export type Builder = z.infer<typeof Builder>;

/** The programs that serve the image. */
export const Runtime = z.enum(["bun", "deno"]);
export type Runtime = z.infer<typeof Runtime>;

/** What an image is built from. `home` is Sluice's own code, `modelDir` the model's folder, `epoch` seconds since 1970. `fresh` takes nothing from the builder's cache, `network` is that of the build's commands, such as `host`. */
export type BuildOptions = {
  builder: Builder;
  home: string;
  model: ModelRef;
  modelDir: string;
  images: Images;
  runtime: Runtime;
  labels: { release: string; revision: string; source: string };
  epoch: number;
  archive: string;
  fresh?: boolean;
  network?: string;
};

const code = ["bin", "package.json", "package-lock.json", ".npmrc", "pipeline", "service"];
const timeoutMs = 1_800_000;

/** Builds the service's image with one model and writes it to `archive` (OCI). Throws `E_TOOL` with the builder's words. */
export async function buildImage(options: BuildOptions): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), "sluice-build-"));
  try {
    for (const name of code) {
      const filter = (path: string) => !/\/(?:node_modules|sdk)$/.test(path);
      await cp(join(options.home, name), join(context, name), { recursive: true, filter });
    }
    const { name, version } = splitModelRef(options.model);
    await cp(options.modelDir, join(context, "models", name, version), { recursive: true });
    for (const [program = "", ...args] of buildCommands(options, context)) await runBuilder(program, args);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/**
 * The commands, one after another: build, then write the archive. Podman and Buildah (1.28) take labels and environment
 * of a build with other arguments from their cache, and so another model's path: they cache nothing.
 */
export function buildCommands(options: BuildOptions, context: string): string[][] {
  const { builder, archive } = options;
  const tag = `localhost/sluice/${options.model.replace("@", ":")}-${options.runtime}`;
  const build = ["build", "--file", join(context, "service/Dockerfile"), "--target", options.runtime, "--tag", tag];
  if (options.fresh === true) build.push("--no-cache");
  if (options.network !== undefined) build.push("--network", options.network);
  const args = buildArguments(options).flatMap((argument) => ["--build-arg", argument]);
  const uncached = ["--layers=false", "--format", "oci", "--timestamp", String(options.epoch)];
  switch (builder) {
    case "docker":
      return [
        ["docker", ...build, ...args, context],
        ["docker", "save", "--output", archive, tag],
      ];
    case "podman":
      return [
        ["podman", ...build, ...uncached, ...args, context],
        ["podman", "save", "--format", "oci-archive", "--output", archive, tag],
      ];
    case "buildah":
      return [
        ["buildah", ...build, ...uncached, ...args, context],
        ["buildah", "push", tag, `oci-archive:${archive}`],
      ];
  }
}

function buildArguments({ images, model, labels, epoch }: BuildOptions): string[] {
  return [
    `BUILD_BASE=${addressOf(images, "build")}`,
    `RUNTIME_BASE=${addressOf(images, "runtime")}`,
    `MODEL=${model.replace("@", "/")}`,
    `SOURCE_DATE_EPOCH=${epoch}`,
    `RELEASE=${labels.release}`,
    `REVISION=${labels.revision}`,
    `SOURCE=${labels.source}`,
  ];
}

async function runBuilder(program: string, args: string[]): Promise<void> {
  // Docker before 23 builds without its cache mounts unless told.
  const ran = await runTool(program, args, { timeoutMs, env: { ...process.env, DOCKER_BUILDKIT: "1" } });
  if (ran.outcome === "missing") throw new DeployError("E_TOOL", `Cannot build image: ${program} is not on the PATH`);
  if (ran.exitCode === 0) return;
  const words = ran.stderr.trim().split("\n").slice(-5).join("\n");
  throw new DeployError("E_TOOL", `Cannot build image: ${program} ${args[0]} ${ran.outcome} ${ran.exitCode}: ${words}`);
}
