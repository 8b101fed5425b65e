import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Digest } from "../../spec/digest.ts";
import { DeployError } from "../../spec/error.ts";
import { ImageConfig } from "../../spec/image.ts";
import { OciIndex, OciManifest } from "../../spec/oci.ts";
import { readJson } from "../../spec/read.ts";
import { runTool } from "../tool.ts";
import { layoutFromDocker } from "./docker-archive.ts";

// OCI's own JSON: not strict, since builders add keys.
const Config = z.object({
  config: z.object({
    User: z.string().default(""),
    Env: z.array(z.string()).default([]),
    Entrypoint: z.array(z.string()).nullish(),
    Cmd: z.array(z.string()).nullish(),
    WorkingDir: z.string().default("/"),
  }),
});

/** Folders that every container runtime makes where an image has none. */
const mountPoints = ["dev", "proc", "run", "sys", "tmp"];

const timeoutMs = 300_000;

/** An image archive (OCI layout in a tar) laid out in `dir`: its root file system, configuration and manifest digest. */
export async function unpackImage(
  archive: string,
  dir: string,
): Promise<{ rootfs: string; config: ImageConfig; digest: Digest }> {
  const rootfs = join(dir, "rootfs");
  await mkdir(rootfs, { recursive: true });
  const { layout, digest: image } = await unpackLayout(archive, dir);
  const blob = (digest: Digest) => join(layout, "blobs", digest.replace(":", "/"));
  const manifest = await readJson(blob(image), OciManifest);
  const { config } = await readJson(blob(manifest.config.digest), Config);
  for (const layer of manifest.layers) await applyLayer(blob(layer.digest), rootfs);
  for (const point of mountPoints) await mkdir(join(rootfs, point), { recursive: true });
  await rm(layout, { recursive: true });
  return { rootfs, config: configOf(config), digest: image };
}

/** The OCI layout inside an archive (of OCI, or of `docker save`), in a folder of `dir`, and the digest of its one image's manifest. */
export async function unpackLayout(archive: string, dir: string): Promise<{ layout: string; digest: Digest }> {
  const layout = join(dir, "layout");
  await mkdir(layout, { recursive: true });
  await tar(["-xf", archive, "-C", layout]);
  if (!existsSync(join(layout, "index.json"))) await layoutFromDocker(layout);
  const { manifests } = await readJson(join(layout, "index.json"), OciIndex);
  const [image, another] = manifests;
  if (image !== undefined && another === undefined) return { layout, digest: image.digest };
  throw new DeployError("E_FILE", `Cannot use ${archive}: it holds ${manifests.length} images, expected one`);
}

function configOf({ User, Env, Entrypoint, Cmd, WorkingDir }: z.infer<typeof Config>["config"]): ImageConfig {
  const env = Env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  const argv = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  return ImageConfig.parse({ user: User, argv, env: Object.fromEntries(env), workdir: WorkingDir || "/" });
}

/** Lays one layer over what is there. `.wh.NAME` takes NAME of a lower layer away, `.wh..wh..opq` all of a folder. */
async function applyLayer(layer: string, rootfs: string): Promise<void> {
  const names = (await tar(["-tf", layer])).split("\n");
  for (const name of names.filter((path) => /(?:^|\/)\.wh\.[^/]+$/.test(path))) {
    const folder = join(rootfs, dirname(name));
    const hidden = name.slice(name.lastIndexOf("/") + 1 + ".wh.".length);
    if (hidden === ".wh..opq") await rm(folder, { recursive: true, force: true });
    else await rm(join(folder, hidden), { recursive: true, force: true });
  }
  await tar(["-xpf", layer, "-C", rootfs, "--numeric-owner", "--exclude=.wh.*"]);
}

async function tar(args: string[]): Promise<string> {
  const ran = await runTool("tar", args, { timeoutMs, keep: 1 << 28 });
  if (ran.exitCode === 0) return ran.stdout;
  throw new DeployError(
    "E_TOOL",
    `Cannot unpack image: tar ${args[0]} ${ran.outcome} ${ran.exitCode}: ${ran.stderr.trim()}`,
  );
}
