import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pushLayout } from "../../../pipeline/src/release/oci/push.ts";
import { openRegistry } from "../../../pipeline/src/release/oci/registry.ts";
import { expandReference } from "../../../pipeline/src/release/oci/resolve.ts";
import { addressOf, Images } from "../../../pipeline/src/spec/images.ts";
import { readYaml } from "../../../pipeline/src/spec/read.ts";
import { root, sluice } from "../../support/cli.ts";
import { writeLayout } from "../../support/layout.ts";
import { noRegistry, startRegistry } from "../../support/registry.ts";

test.each([
  ["node:22", { host: "registry-1.docker.io", repository: "library/node", tag: "22" }],
  ["oven/bun:1.4.5", { host: "registry-1.docker.io", repository: "oven/bun", tag: "1.4.5" }],
  ["gcr.io/distroless/cc:nonroot", { host: "gcr.io", repository: "distroless/cc", tag: "nonroot" }],
  ["127.0.0.1:5000/base:1", { host: "127.0.0.1:5000", repository: "base", tag: "1" }],
] as const)("expandReference() of %s", (reference, parts) => {
  expect(expandReference(reference)).toEqual(parts);
});

describe.skipIf(noRegistry && process.env.CI !== "true")("sluice image lock", () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let source = "";
  beforeAll(async () => {
    registry = await startRegistry();
    source = await mkdtemp(join(tmpdir(), "sluice-lock-"));
  }, 60_000);
  afterAll(async () => {
    await registry.stop();
    await rm(source, { recursive: true, force: true });
  });

  test("writes the digest of a tag, keeps the comments, and says when there is no such tag", async () => {
    const digest = await writeLayout(join(source, "layout"), "base");
    const ask = openRegistry({ host: registry.host, repository: "base", plainHttp: true });
    await pushLayout(ask, join(source, "layout"), "1");
    const path = join(source, "policies/images.yaml");
    await mkdir(join(source, "policies"));
    const text = await readFile(join(root, "policies/images.yaml"), "utf8");
    await writeFile(path, text.replace("gcr.io/distroless/cc-debian12:nonroot", `${registry.host}/base:1`));

    expect((await sluice(source, "image", "lock", "--only", "runtime", "--plain-http")).exit).toBe(0);
    expect(addressOf(await readYaml(path, Images), "runtime")).toBe(`${registry.host}/base:1@${digest}`);
    expect(await readFile(path, "utf8")).toContain("# The service runs on this");

    await writeFile(path, text.replace("gcr.io/distroless/cc-debian12:nonroot", `${registry.host}/base:2`));
    const { exit, stderr } = await sluice(source, "image", "lock", "--only", "runtime", "--plain-http");
    expect(exit).toBe(2);
    expect(stderr).toContain("has no tag 2 in base");
  }, 60_000);
});
