import { expect, test } from "bun:test";
import { join } from "node:path";
import { Images } from "../../../pipeline/src/spec/images.ts";
import { readYaml } from "../../../pipeline/src/spec/read.ts";
import { type BuildOptions, buildCommands } from "../../../pipeline/src/stage/image/build.ts";

const images = await readYaml(join(import.meta.dirname, "../../../policies/images.yaml"), Images);

function options(change: Partial<BuildOptions> = {}): BuildOptions {
  return {
    builder: "buildah",
    home: "/home",
    model: "magika@3.3.0",
    modelDir: "/models/magika/3.3.0",
    images,
    runtime: "bun",
    labels: { release: "r1", revision: "abc", source: "here" },
    epoch: 7,
    archive: "/out.tar",
    ...change,
  };
}

test.each([
  ["docker", ["docker", "save", "--output", "/out.tar", "localhost/sluice/magika:3.3.0-bun"]],
  [
    "podman",
    ["podman", "save", "--format", "oci-archive", "--output", "/out.tar", "localhost/sluice/magika:3.3.0-bun"],
  ],
  ["buildah", ["buildah", "push", "localhost/sluice/magika:3.3.0-bun", "oci-archive:/out.tar"]],
] as const)("buildCommands() of %s builds, then writes the archive", (builder, save) => {
  const [build, write] = buildCommands(options({ builder }), "/context");
  expect(build?.slice(0, 4)).toEqual([builder, "build", "--file", "/context/service/Dockerfile"]);
  expect(build).toContain("MODEL=magika/3.3.0");
  expect(build).toContain("SOURCE_DATE_EPOCH=7");
  expect(build?.at(-1)).toBe("/context");
  expect(write).toEqual([...save]);
});

test("buildCommands() takes a locked base by its digest", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const locked = { ...images, images: { ...images.images, runtime: { reference: "debian:12-slim", digest } } };
  expect(buildCommands(options({ images: locked }), "/c")[0]).toContain(`RUNTIME_BASE=debian:12-slim@${digest}`);
});

test.each(["podman", "buildah"] as const)(
  "buildCommands() of %s does not take another model's labels from a cache",
  (builder) => {
    expect(buildCommands(options({ builder }), "/c")[0]).toContain("--layers=false");
  },
);

test("buildCommands() takes nothing from a cache when asked to", () => {
  expect(buildCommands(options(), "/c")[0]).not.toContain("--no-cache");
  expect(buildCommands(options({ fresh: true }), "/c")[0]).toContain("--no-cache");
});

test("buildCommands() gives the build's commands the network that is asked for", () => {
  expect(buildCommands(options(), "/c")[0]).not.toContain("--network");
  expect(buildCommands(options({ network: "host" }), "/c")[0]).toContain("--network");
});

test("Images refuses a tag that says nothing", () => {
  const latest = { ...images, images: { ...images.images, runtime: { reference: "debian:latest" } } };
  expect(() => Images.parse(latest)).toThrow("not latest");
});
