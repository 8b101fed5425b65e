import type { Container, Directory } from "@dagger.io/dagger";
import { addressOf, type Images } from "../spec/images.ts";
import { splitModelRef } from "../spec/name.ts";

/** Builds `service/Dockerfile` of `code` with one model of `source`; `revision` and `origin` of it are labels when known. */
export function buildImage(
  code: Directory,
  source: Directory,
  images: Images,
  { model, target, revision, origin }: { model: string; target: string; revision: string; origin: string },
): Container {
  const { name, version } = splitModelRef(model);
  const folder = `models/${name}/${version}`;
  const context = code.withDirectory(folder, source.directory(folder));
  return context.dockerBuild({
    dockerfile: "service/Dockerfile",
    target,
    buildArgs: [
      { name: "BUILD_BASE", value: addressOf(images, "build") },
      { name: "RUNTIME_BASE", value: addressOf(images, "runtime") },
      { name: "MODEL", value: `${name}/${version}` },
      { name: "RELEASE", value: model },
      ...(revision === "" ? [] : [{ name: "REVISION", value: revision }]),
      ...(origin === "" ? [] : [{ name: "SOURCE", value: origin }]),
      { name: "SOURCE_DATE_EPOCH", value: "0" },
    ],
  });
}
