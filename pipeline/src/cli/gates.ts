import { join } from "node:path";
import { readManifest } from "../release/folder.ts";
import { sayGate } from "../report/text.ts";
import { Golden } from "../spec/golden.ts";
import type { Manifest } from "../spec/manifest.ts";
import type { LoadProfile } from "../spec/policy.ts";
import { readJson, readYaml } from "../spec/read.ts";
import type { Release } from "../spec/release.ts";
import type { Report } from "../spec/report.ts";
import { ScanPolicy } from "../spec/scan.ts";
import { contract } from "../stage/contract/contract.ts";
import { readConsumers } from "../stage/contract/recorded.ts";
import { load } from "../stage/load/load.ts";
import { goldenRequests, recordedRequests } from "../stage/load/request.ts";
import { scan } from "../stage/scan/scan.ts";
import { stableOf } from "./begin.ts";
import type { Host } from "./host.ts";
import type { Place } from "./options.ts";
import type { Progress } from "./progress.ts";
import { commandLine } from "./repeat.ts";
import { readOnlyKey } from "./running.ts";
import type { Target } from "./target.ts";

/** The gates that need a running candidate. */
export const gateNames = ["contract", "load"] as const;
export type GateName = (typeof gateNames)[number];

/** The release under test, and who hears of each gate. `profile` is the load gate's, the environment's own by default. */
export interface Gating {
  release: Release;
  progress: Progress;
  only?: GateName | undefined;
  profile?: NamedProfile | undefined;
}

/** A profile of load.yaml. */
export interface NamedProfile {
  name: string;
  profile: LoadProfile;
}

/**
 * Runs the gates that come after `verify`. The environment's admission policy says which must pass; a scan is tried
 * everywhere, so that the summary can tell.
 */
export async function runGates(host: Host, target: Target, gating: Gating): Promise<Report[]> {
  gating.progress.now("scan");
  const scanned = await scanHome(host);
  tell(host, gating, scanned);
  return [scanned, ...(await runLiveGates(host, target, gating))];
}

/** Runs the gates that need a running candidate, on a revision of its own that gets no traffic; then ends it. */
export async function runLiveGates(host: Host, target: Target, gating: Gating): Promise<Report[]> {
  const { release, progress, only } = gating;
  const id = `${release.id}.gate`;
  const { readySeconds, drainSeconds } = host.policies.strategy;
  const releaseDir = join(host.releasesDir, release.id);
  const start = async () => {
    await target.runtime.start(id, { releaseId: release.id, releaseDir, readySeconds });
    return target.runtime.addressOf(id);
  };
  const stop = () => target.runtime.stop(id, { drainSeconds });
  progress.now("start the candidate for its gates");
  const { manifest } = await readManifest(join(releaseDir, "model"));
  const golden = await readJson(join(releaseDir, "model", manifest.golden), Golden);
  const live: Live = { manifest, golden, stable: await runningStable(host, target), url: await start() };
  const reports: Report[] = [];
  try {
    const restart = async () => {
      await stop();
      live.url = await start();
      return live.url;
    };
    for (const name of gateNames.filter((one) => only === undefined || one === only)) {
      const report =
        name === "contract" ? await gateContract(host, live, gating, restart) : await gateLoad(host, live, gating);
      tell(host, gating, report);
      reports.push({ ...report, repeat: repeatOf(host.place, gating, name) });
    }
  } finally {
    await stop();
  }
  return reports;
}

/** A candidate that runs, and stable beside it. */
interface Live {
  url: string;
  manifest: Manifest;
  golden: Golden;
  stable: { url: string; key: string; manifest: Manifest };
}

async function gateContract(
  host: Host,
  { url, manifest, golden, stable }: Live,
  { release, progress }: Gating,
  restart: () => Promise<string>,
): Promise<Report> {
  progress.now("contract");
  const { key, limitedKey } = host.keys;
  const { consumers, examples } = await readConsumers(host.place.policiesDir, manifest.name);
  const { compareApi: required, breaking: rule } = host.policies.admission;
  const before = { url: stable.url, manifest: stable.manifest, required, rule, consumers };
  const otherKeys = [readOnlyKey(limitedKey)];
  return contract({ url, key, otherKeys, subject: release.id, manifest, golden, examples, stable: before, restart });
}

async function gateLoad(host: Host, { url, manifest, golden, stable }: Live, gating: Gating): Promise<Report> {
  const { release, progress } = gating;
  const profile = gating.profile?.profile ?? host.policies.load;
  progress.now(`load: ${profile.ratePerSecond}/s for ${profile.warmupSeconds + profile.seconds} s`);
  const { examples } = await readConsumers(host.place.policiesDir, manifest.name);
  const requests = [...goldenRequests(manifest.name, golden), ...recordedRequests(manifest.name, examples)];
  const arms = { url, key: host.keys.key, stable: { url: stable.url, key: stable.key } };
  return load({ ...arms, subject: release.id, requests, profile, slo: host.policies.slo });
}

/** Stable as it serves now: the candidate's API and speed are held against it. */
async function runningStable(host: Host, target: Target): Promise<Live["stable"]> {
  const { revision, release } = await stableOf(host, target);
  const { manifest } = await readManifest(join(host.releasesDir, release.id, "model"));
  return { url: await target.runtime.addressOf(revision), key: host.keys.key, manifest };
}

/** Scans what the release's code is built from: Sluice's own sources and lock file. */
async function scanHome(host: Host): Promise<Report> {
  const policy = await readYaml(join(host.place.policiesDir, "scan.yaml"), ScanPolicy);
  return scan({ target: { kind: "source", path: host.home }, policy });
}

function tell({ policies }: Host, { progress }: Gating, report: Report): void {
  progress.done(sayGate(report, policies.admission.require));
}

function repeatOf({ source, stateDir, environment }: Place, { release, profile }: Gating, only: GateName): string {
  const profiled = profile === undefined ? [] : ["--profile", profile.name];
  const place = ["--environment", environment, "--source", source, "--state", stateDir];
  return commandLine(["gates", release.id, "--only", only, ...profiled, ...place]);
}
