import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { driveApart } from "../../pipeline/src/stage/load/apart.ts";
import { constant } from "../../pipeline/src/stage/load/arrival.ts";
import { openSite } from "../../pipeline/src/target/local/client.ts";
import { siteDown, siteUp, siteUpgrade } from "../../pipeline/src/target/local/up.ts";
import { stageStandIn } from "./stand-in.ts";

// Counts requests that fail while revisions come, take over step by step, drain and go, and the site itself is replaced:
// bun scripts/bench/hitless.ts [requests] [per second]
const requests = Number(process.argv[2] ?? 100_000);
const ratePerSecond = Number(process.argv[3] ?? 1_000);
const steps = [5, 25, 50, 75, 100];
const stepMs = 250;

const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
try {
  const { address } = await siteUp({ stateDir: folder, host: "127.0.0.1", port: 0, workers: 1 });
  const site = openSite(folder);
  await site.start("revision-0", await stageStandIn(folder, "release-0"));
  await site.writeWeights({ "revision-0": 100 });

  const plan = {
    targets: [{ url: address, key: "none" }],
    requests: [{ path: "/", contentType: "application/json", body: JSON.stringify({ data: "x".repeat(512) }) }],
    phases: [constant(ratePerSecond, requests / ratePerSecond)],
    maxInFlight: 20_000,
    timeoutMs: 30_000,
  };
  let driving = true;
  const driven = driveApart(plan).finally(() => {
    driving = false;
  });
  let takeovers = 0;
  let upgrades = 0;
  while (driving) {
    await takeOver(`revision-${takeovers}`, `revision-${takeovers + 1}`);
    takeovers += 1;
    if (takeovers % 5 === 0) {
      await siteUpgrade(folder);
      upgrades += 1;
    }
  }
  const [tally] = await driven;
  console.log(
    JSON.stringify({
      sent: tally?.requests,
      failed: tally?.errors,
      kinds: tally?.errorKinds,
      dropped: tally?.dropped,
      p99Ms: tally?.response.at(0.99),
      takeovers,
      upgrades,
      weightChanges: takeovers * steps.length,
    }),
  );

  async function takeOver(from: string, to: string): Promise<void> {
    await site.start(to, await stageStandIn(folder, to));
    for (const weight of steps) {
      await site.writeWeights({ [from]: 100 - weight, [to]: weight });
      await new Promise((resolve) => setTimeout(resolve, stepMs));
    }
    await site.stop(from, { drainSeconds: 10 });
  }
} finally {
  await siteDown(folder);
  await rm(folder, { recursive: true, force: true });
}
