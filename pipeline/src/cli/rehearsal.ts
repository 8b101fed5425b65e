import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyFolder } from "../release/folder.ts";
import { systemClock } from "../rollout/clock.ts";
import { fileStore } from "../rollout/file-store.ts";
import { run } from "../rollout/loop.ts";
import { rolloutId } from "../rollout/open.ts";
import type { Digest } from "../spec/digest.ts";
import type { Arms, Entry } from "../spec/journal.ts";
import type { Policies } from "../spec/policy.ts";
import { type Release, releaseId } from "../spec/release.ts";
import { answerComparer } from "../stage/answers.ts";
import { replayOverHttp } from "../stage/golden-http.ts";
import { goldenRequests } from "../stage/load/request.ts";
import { startTraffic } from "../stage/load/traffic.ts";
import { type Bound, boundRuntime } from "../target/bound/runtime.ts";
import { openHaproxy } from "../target/haproxy/router.ts";
import { type Holding, holding } from "./holding.ts";
import { goldenOf } from "./traffic.ts";

/** Revision ids of a rehearsal; also the names of HAProxy's servers. */
const arms: Arms = { stable: "stable", canary: "canary", baseline: "baseline" };

/** One of the two images: the model folder that it serves, and its digest. */
export type Part = { modelDir: string; image: Digest };

/** Where things run: base addresses of the arms and of the router, and the router's runtime API. */
export type Stage = {
  addresses: Record<keyof Arms, string>;
  site: string;
  control: { host: string; port: number };
  key: string;
};

/** Runs the environment's whole canary on images that run already; returns the journal. Nothing is kept. */
export async function rehearse(
  parts: { stable: Part; candidate: Part },
  stage: Stage,
  { policies, onEntry }: { policies: Policies; onEntry: (entry: Entry) => void },
): Promise<Entry[]> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-rehearsal-"));
  try {
    const store = fileStore(folder, systemClock);
    const stable = await releaseOf(parts.stable, policies.digest);
    const candidate = await releaseOf(parts.candidate, policies.digest);
    const rollout = rolloutId(systemClock.now(), candidate.id);
    return await holding(store, async (held) => {
      const { strategy, slo } = policies;
      const opened = { kind: "opened", rollout, candidate, stable, arms, strategy, slo } as const;
      await store.append(rollout, held.lease, opened);
      await roll(parts, stage, { held, rollout, store, folder, policies, onEntry, stable, candidate });
      return store.readJournal(rollout);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Rolling = {
  held: Holding;
  rollout: string;
  store: ReturnType<typeof fileStore>;
  folder: string;
  policies: Policies;
  onEntry: (entry: Entry) => void;
  stable: Release;
  candidate: Release;
};

async function roll(parts: { stable: Part; candidate: Part }, stage: Stage, rolling: Rolling): Promise<void> {
  const { held, rollout, store, folder, policies, onEntry } = rolling;
  const { readySeconds } = policies.strategy;
  const runtime = boundRuntime(boundOf(stage, rolling), arms.stable);
  const router = openHaproxy({ control: stage.control, samplesFile: join(folder, "samples.json") });
  await runtime.start(arms.stable, { releaseId: rolling.stable.id, releaseDir: parts.stable.modelDir, readySeconds });
  const { ratePerSecond } = policies.environment.traffic ?? { ratePerSecond: 50 };
  const golden = await goldenOf(parts.stable.modelDir);
  const { key } = stage;
  const { model } = rolling.stable;
  const requests = goldenRequests(model.name, golden);
  const traffic = startTraffic({ url: stage.site, key, requests, ratePerSecond });
  try {
    await run({
      router,
      runtime,
      rollout,
      store,
      onEntry,
      lease: held.lease,
      signal: held.lost,
      clock: systemClock,
      releasesDir: folder,
      replayGolden: (address) => replayOverHttp(address, key, parts.candidate.modelDir),
      // Stable's image runs beside the canary's all the while.
      proveReturn: async () => {},
      compareAnswers: answerComparer(
        golden.cases.map((one) => one.request),
        { key, model: model.name, timeoutMs: 5_000 },
      ),
      onLook: () => {},
    });
  } finally {
    await traffic.stop();
  }
}

function boundOf({ addresses }: Stage, { stable, candidate }: Rolling): Bound[] {
  return [
    { id: arms.stable, releaseId: stable.id, address: addresses.stable },
    { id: arms.baseline, releaseId: stable.id, address: addresses.baseline },
    { id: arms.canary, releaseId: candidate.id, address: addresses.canary },
  ];
}

async function releaseOf({ modelDir, image }: Part, policy: Digest): Promise<Release> {
  const { manifest, digest } = await verifyFolder(modelDir);
  return {
    id: releaseId(manifest.name, manifest.version, image),
    model: { name: manifest.name, version: manifest.version, digest },
    code: { kind: "image", digest: image, reference: image },
    policy: { digest: policy },
  };
}
