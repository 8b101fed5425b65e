import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyFolder } from "../release/folder.ts";
import { systemClock } from "../rollout/clock.ts";
import { fileStore } from "../rollout/file-store.ts";
import { rolloutId } from "../rollout/open.ts";
import type { Digest } from "../spec/digest.ts";
import type { Arms, Entry } from "../spec/journal.ts";
import type { Policies } from "../spec/policy.ts";
import { type Release, releaseId } from "../spec/release.ts";
import { holding } from "./holding.ts";
import { type BoundStage, rollBound } from "./roll-bound.ts";

/** Revision ids of a rehearsal; also the names of HAProxy's servers. */
const arms: Arms = { stable: "stable", canary: "canary", baseline: "baseline" };

/** One of the two images: the model folder that it serves, and its digest. */
export type Part = { modelDir: string; image: Digest };

/** Runs the environment's whole canary on images that run already; returns the journal. Nothing is kept. */
export async function rehearse(
  parts: { stable: Part; candidate: Part },
  stage: BoundStage,
  { policies, onEntry }: { policies: Policies; onEntry: (entry: Entry) => void },
): Promise<Entry[]> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-rehearsal-"));
  try {
    const store = fileStore(folder, systemClock);
    const stable = await releaseOf(parts.stable, policies.digest);
    const candidate = await releaseOf(parts.candidate, policies.digest);
    const rollout = rolloutId(systemClock.now(), candidate.id);
    return await holding(store, async (held) => {
      const { strategy, slo, environment } = policies;
      const opened = { kind: "opened", rollout, candidate, stable, arms, strategy, slo } as const;
      await store.append(rollout, held.lease, opened);
      const { ratePerSecond } = environment.traffic ?? { ratePerSecond: 50 };
      const models = { candidateDir: parts.candidate.modelDir, stableDir: parts.stable.modelDir };
      await rollBound(stage, { opened, held, store, folder, onEntry }, { ...models, ratePerSecond });
      return store.readJournal(rollout);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
