import { join } from "node:path";
import { readManifest } from "../release/folder.ts";
import { Golden } from "../spec/golden.ts";
import type { Manifest } from "../spec/manifest.ts";
import { readJson, readYaml } from "../spec/read.ts";
import type { Release } from "../spec/release.ts";
import type { Report } from "../spec/report.ts";
import { ScanPolicy } from "../spec/scan.ts";
import { contract } from "../stage/contract/contract.ts";
import { readConsumers } from "../stage/contract/recorded.ts";
import { load } from "../stage/load/load.ts";
import { goldenRequests } from "../stage/load/request.ts";
import { scan } from "../stage/scan/scan.ts";
import { stableOf } from "./begin.ts";
import type { Host } from "./host.ts";
import type { Progress } from "./progress.ts";
import { readOnlyKey } from "./running.ts";
import type { Target } from "./target.ts";

/**
 * Runs the gates that need a running candidate on a revision of its own that gets no traffic, then ends it. The
 * environment's admission policy says which must pass; a scan is tried everywhere, so that the summary can tell.
 */
export async function runGates(host: Host, target: Target, release: Release, progress: Progress): Promise<Report[]> {
  const releaseDir = join(host.releasesDir, release.id);
  const id = `${release.id}.gate`;
  const reports: Report[] = [];
  const note = (report: Report) => {
    reports.push(report);
    progress.done(`${report.stage}: ${report.verdict.kind}; ${report.figure}`);
  };
  progress.now("scan");
  note(await scanHome(host));
  const { readySeconds, drainSeconds } = host.policies.strategy;
  const start = () => target.runtime.start(id, { releaseId: release.id, releaseDir, readySeconds });
  const restart = async () => {
    await target.runtime.stop(id, { drainSeconds });
    await start();
    return target.runtime.addressOf(id);
  };
  progress.now("start the candidate for its gates");
  await start();
  try {
    const url = await target.runtime.addressOf(id);
    const { manifest } = await readManifest(join(releaseDir, "model"));
    const golden = await readJson(join(releaseDir, "model", manifest.golden), Golden);
    const { key, limitedKey } = host.keys;
    const subject = release.id;
    const otherKeys = [readOnlyKey(limitedKey)];
    const stable = await runningStable(host, target);
    const { consumers, examples } = await readConsumers(host.place.policiesDir, manifest.name);
    const { compareApi, breaking } = host.policies.admission;
    const before = { ...stable, required: compareApi, rule: breaking, consumers };
    progress.now("contract");
    note(await contract({ url, key, otherKeys, subject, manifest, golden, examples, stable: before, restart }));
    const { load: profile, slo } = host.policies;
    progress.now(`load: ${profile.ratePerSecond}/s for ${profile.warmupSeconds + profile.seconds} s`);
    const requests = goldenRequests(manifest.name, golden);
    note(await load({ url: await target.runtime.addressOf(id), key, stable, subject, requests, profile, slo }));
  } finally {
    await target.runtime.stop(id, { drainSeconds });
  }
  return reports;
}

/** Stable as it serves now: the candidate's API and speed are held against it. */
async function runningStable(host: Host, target: Target): Promise<{ url: string; key: string; manifest: Manifest }> {
  const { revision, release } = await stableOf(host, target);
  const { manifest } = await readManifest(join(host.releasesDir, release.id, "model"));
  return { url: await target.runtime.addressOf(revision), key: host.keys.key, manifest };
}

/** Scans what the release's code is built from: Sluice's own sources and lock file. */
async function scanHome(host: Host): Promise<Report> {
  const policy = await readYaml(join(host.place.policiesDir, "scan.yaml"), ScanPolicy);
  return scan({ target: { kind: "source", path: host.home }, policy });
}
