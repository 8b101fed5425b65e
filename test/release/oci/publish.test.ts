import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAttached } from "../../../pipeline/src/release/oci/attach.ts";
import { pullManifest } from "../../../pipeline/src/release/oci/blob.ts";
import { openRegistry } from "../../../pipeline/src/release/oci/registry.ts";
import type { Digest } from "../../../pipeline/src/spec/digest.ts";
import { attachedTypes } from "../../../pipeline/src/spec/promotion.ts";
import type { Report, StageName } from "../../../pipeline/src/spec/report.ts";
import { writeLayout } from "../../support/layout.ts";
import { noRegistry, startRegistry } from "../../support/registry.ts";

const home = join(import.meta.dirname, "../../..");

describe.skipIf(noRegistry && process.env.CI !== "true")("sluice image publish, promote, rollback", () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let source = "";

  beforeAll(async () => {
    registry = await startRegistry();
    source = await mkdtemp(join(tmpdir(), "sluice-publish-"));
    await cp(join(home, "policies"), join(source, "policies"), { recursive: true });
    await cp(join(source, "policies/environments/local.yaml"), join(source, "policies/environments/production.yaml"));
    await mkdir(join(source, "models/magika"), { recursive: true });
    await cp(join(home, "models/magika/3.3.0"), join(source, "models/magika/3.3.0"), { recursive: true });
  }, 60_000);
  afterAll(async () => {
    await registry.stop();
    await rm(source, { recursive: true, force: true });
  });

  function sluice(...args: string[]) {
    const argv = [join(home, "pipeline/src/cli.ts"), "--source", source, "image", ...args, "--plain-http", "--json"];
    const { status, stdout } = spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 60_000 });
    return { status, json: JSON.parse(stdout) };
  }

  async function anArchive(content: string): Promise<{ archive: string; digest: Digest }> {
    const layout = join(source, `layout-${content}`);
    const digest = await writeLayout(layout, content);
    const archive = `${layout}.tar`;
    spawnSync("tar", ["-cf", archive, "-C", layout, "."]);
    return { archive, digest };
  }

  async function reportsOf(...stages: StageName[]): Promise<string> {
    const reports = stages.map((stage): Report => {
      const times = { startedAt: "2026-11-24T00:00:00Z", durationMs: 1 };
      const rest = { figure: "", checks: [], facts: {}, ...times };
      return { schema: "sluice/report/v1", stage, subject: "magika@3.3.0", verdict: { kind: "pass" }, ...rest };
    });
    const path = join(source, `reports-${stages.length}.json`);
    await writeFile(path, JSON.stringify(reports));
    return path;
  }

  function publish(archive: string, reports: string, tag: string) {
    const to = `${registry.host}/team/magika:${tag}`;
    return sluice("publish", "magika@3.3.0", "--archive", archive, "--reports", reports, "--to", to);
  }

  function tagOf(tag: string) {
    const ask = openRegistry({ host: registry.host, repository: "team/magika", plainHttp: true });
    return pullManifest(ask, tag).then((found) => found?.descriptor.digest);
  }

  test("refuse what its reports do not admit, and push nothing", async () => {
    const { archive } = await anArchive("unproven");
    const { status, json } = publish(archive, await reportsOf("verify"), "unproven");
    expect(status).toBe(3);
    expect(json.error.message).toContain("contract: the policy requires it and it was not run");
    expect(await tagOf("unproven")).toBeUndefined();
  }, 60_000);

  test("move the same bytes from one environment to the next and back", async () => {
    const reports = await reportsOf("verify", "contract", "load");
    const [one, two] = [await anArchive("one"), await anArchive("two")];
    expect(publish(one.archive, reports, "1").status).toBe(0);
    expect(publish(two.archive, reports, "2").json.published.digest).toBe(two.digest);
    for (const { digest } of [one, two]) {
      expect(sluice("promote", `${registry.host}/team/magika@${digest}`, "--environment", "local").status).toBe(0);
      expect(await tagOf("local")).toBe(digest);
    }
    const { status, json } = sluice("rollback", `${registry.host}/team/magika:local`, "--environment", "local");
    expect(status).toBe(0);
    expect(json.promotion.digest).toBe(one.digest);
    expect(await tagOf("local")).toBe(one.digest);
  }, 120_000);

  test("keep an image out of an environment that demands more", async () => {
    const { archive, digest } = await anArchive("few");
    publish(archive, await reportsOf("verify", "contract", "load"), "few");
    const { status, json } = sluice("promote", `${registry.host}/team/magika@${digest}`, "--environment", "production");
    expect(status).toBe(3);
    expect(json.error.message).toContain("image: the policy requires it and it was not run");
    expect(await tagOf("production")).toBeUndefined();
  }, 60_000);

  test("keep an unsigned image out of an environment that demands a signature", async () => {
    const { archive, digest } = await anArchive("unsigned");
    publish(archive, await reportsOf("verify", "image", "scan", "contract", "load"), "unsigned");
    const { status, json } = sluice("promote", `${registry.host}/team/magika@${digest}`, "--environment", "production");
    expect(status).toBe(3);
    expect(json.error.message).toContain("sign");
  }, 60_000);

  test("attach the release record to the image", async () => {
    const { archive, digest } = await anArchive("record");
    publish(archive, await reportsOf("verify", "contract", "load"), "record");
    const ask = openRegistry({ host: registry.host, repository: "team/magika", plainHttp: true });
    const image = await pullManifest(ask, digest);
    const [bytes] = image === undefined ? [] : await readAttached(ask, image.descriptor, attachedTypes.record);
    expect(JSON.parse(new TextDecoder().decode(bytes)).release.code.digest).toBe(digest);
  }, 60_000);
});
