import type { Container, Directory, File, Secret, Service } from "@dagger.io/dagger";
import { Images } from "../spec/images.ts";
import { parseYaml } from "../spec/read.ts";
import { buildImage } from "./image.ts";
import { Registry } from "./registry.ts";
import { Stages } from "./stages.ts";
import { Environment, Runtime } from "./words.ts";

/**
 * What every function works on: the code, the models and policies, the images to pull, who speaks to a registry, and where
 * the source is from. An object of the module keeps these as fields of its own: the engine gives back no fields of an
 * object within it.
 */
export type Inputs = {
  source: Directory;
  code: Directory;
  manifests: Directory;
  images: File;
  username: string;
  password?: Secret;
  registry?: Service;
  revision: string;
  origin: string;
};

/** The stages in one environment. */
export async function stagesOf(inputs: Inputs, environment: Environment = Environment.Laptop): Promise<Stages> {
  const { code, manifests, source } = inputs;
  return new Stages({ code, manifests, source }, await imagesOf(inputs), environment);
}

/** The service's image with one model. */
export async function imageOf(inputs: Inputs, model: string, runtime: Runtime = Runtime.Bun): Promise<Container> {
  const { code, source, revision, origin } = inputs;
  return buildImage(code, source, await imagesOf(inputs), { model, target: runtime, revision, origin });
}

/** The repository of `address`, for one environment. */
export async function repositoryOf(
  inputs: Inputs,
  address: string,
  environment: Environment = Environment.Laptop,
): Promise<Registry> {
  const { box } = await stagesOf(inputs, environment);
  const { username, password, registry } = inputs;
  return new Registry(box, address, { username, password, registry, environment });
}

async function imagesOf({ images }: Inputs): Promise<Images> {
  return parseYaml(await images.contents(), Images, "policies/images.yaml");
}
