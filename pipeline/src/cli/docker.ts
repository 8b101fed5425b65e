import { join } from "node:path";
import { readManifest } from "../release/folder.ts";
import { Images } from "../spec/images.ts";
import type { DockerTarget as DockerPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import type { ImageCode } from "../spec/release.ts";
import { type DockerTarget, imageOf } from "../target/docker/target.ts";
import type { Host } from "./host.ts";

/** The environment's containers: what they may need is what images.yaml lets an image need. Certificates are the machine's own matter. */
export async function dockerTargetOf(
  { place: { policiesDir, stateDir } }: Host,
  { host, bind, network, workers }: DockerPolicy,
): Promise<DockerTarget> {
  const { limits } = await readYaml(join(policiesDir, "images.yaml"), Images);
  return { ...daemonOf(host), stateDir, bind, network, workers, limits };
}

/** The image that the environment's daemon has of the model in `modelDir`; undefined where code is no image. */
export async function imageOfModel({ policies }: Host, modelDir: string): Promise<ImageCode | undefined> {
  const { target } = policies.environment;
  if (target.kind !== "docker") return undefined;
  const { name, version } = (await readManifest(modelDir)).manifest;
  const reference = target.image.replaceAll("{name}", name).replaceAll("{version}", version);
  return imageOf(daemonOf(target.host), reference);
}

/** Throws `E_STATE` when the environment's daemon no longer has a release's image. */
export async function proveImage({ policies }: Host, { digest }: Pick<ImageCode, "digest">): Promise<void> {
  const { target } = policies.environment;
  if (target.kind === "docker") await imageOf(daemonOf(target.host), digest);
}

function daemonOf(host: string) {
  return { host, certificates: process.env.DOCKER_CERT_PATH };
}
