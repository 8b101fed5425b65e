import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { openSite } from "../../../pipeline/src/target/local/client.ts";
import { startSite } from "../../../pipeline/src/target/local/start.ts";
import { siteDown, siteStatus } from "../../../pipeline/src/target/local/up.ts";
import { refusalOf } from "../../conformance/refusal.ts";
import { aSite, type TestSite } from "../../support/site.ts";
import { countAnswers } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";

setDefaultTimeout(60_000);

/** The processes that watch over the site of `stateDir`. */
function guardsOf(stateDir: string): number[] {
  const lines = execFileSync("ps", ["-eo", "pid=,args="]).toString().split("\n");
  const ours = lines.filter((line) => line.includes("guard.ts") && line.includes(stateDir));
  return ours.map((line) => Number.parseInt(line, 10));
}

function oneGuardOf(stateDir: string): number | undefined {
  const [guard, another] = guardsOf(stateDir);
  return another === undefined ? guard : undefined;
}

describe("a site's guard", () => {
  let site: TestSite;
  afterEach(() => site.clear());

  test("starts a killed site again, as it was", async () => {
    site = await aSite();
    const before = await site.up();
    const target = openSite(site.stateDir, { fence: 1 });
    const revision = await target.start("one", await site.stage("release-1"));
    await target.writeWeights({ one: 100 });
    process.kill(before.pid, "SIGKILL");
    const after = await until("another site", async () => {
      const found = await siteStatus(site.stateDir);
      return found === undefined || found.pid === before.pid ? undefined : found;
    });
    expect(after).toMatchObject({ address: before.address, weights: { one: 100 }, revisions: [revision] });
    expect((await countAnswers(before.address, 20)).get("one")).toBe(20);
  });

  test("starts nothing when the killed site was brought up and taken down again meanwhile", async () => {
    site = await aSite();
    const { pid } = await site.up();
    process.kill(pid, "SIGKILL");
    await until("the site to be gone", async () =>
      (await siteStatus(site.stateDir)) === undefined ? true : undefined,
    );
    await site.up();
    await siteDown(site.stateDir);
    await until("no guard", () => (guardsOf(site.stateDir).length === 0 ? true : undefined));
    expect(await siteStatus(site.stateDir)).toBeUndefined();
  });

  test("starts nothing, however late, where the site was taken down", async () => {
    site = await aSite();
    const wanted = { stateDir: site.stateDir, host: "127.0.0.1", port: 0, workers: 1 };
    const script = join(import.meta.dir, "../../../pipeline/src/target/local/main.ts");
    const error = await refusalOf(startSite(script, wanted, { again: true }), "E_STATE");
    expect(error.message).toContain("it was taken down");
    expect(await siteStatus(site.stateDir)).toBeUndefined();
  });

  test("is replaced when it is killed itself, and goes when the site is taken down", async () => {
    site = await aSite();
    await site.up();
    const first = await until("a guard", () => oneGuardOf(site.stateDir));
    process.kill(first, "SIGKILL");
    await until("another guard", () => {
      const guard = oneGuardOf(site.stateDir);
      return guard === first ? undefined : guard;
    });
    await siteDown(site.stateDir);
    await until("no guard", () => (guardsOf(site.stateDir).length === 0 ? true : undefined));
    expect(await siteStatus(site.stateDir)).toBeUndefined();
  });
});
