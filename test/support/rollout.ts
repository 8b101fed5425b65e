import { fold, type RolloutState } from "../../pipeline/src/decide/state.ts";
import { fileStore } from "../../pipeline/src/rollout/file-store.ts";
import { run } from "../../pipeline/src/rollout/loop.ts";
import type { Effects } from "../../pipeline/src/rollout/perform.ts";
import type { Clock, Router, Runtime, Store } from "../../pipeline/src/rollout/ports.ts";
import type { Event } from "../../pipeline/src/spec/journal.ts";
import type { Strategy } from "../../pipeline/src/spec/policy.ts";
import { aRelease, aStrategy } from "./policies.ts";

export const arms = { stable: "old", canary: "canary", baseline: "baseline" };

/** The first event of a rollout of release 2.0.0 over 1.0.0. */
export function opened(strategy: Strategy = aStrategy()): Extract<Event, { kind: "opened" }> {
  return {
    kind: "opened",
    rollout,
    candidate: aRelease("2.0.0", { digit: "b" }),
    stable: aRelease("1.0.0"),
    arms,
    strategy,
    slo: { maxErrorRate: 0.01, latency: [{ quantile: 0.99, maxMs: 100 }] },
  };
}

export const rollout = "2026-01-01T000000-toy";

/** A target on which release 1.0.0 is stable and serves all traffic. */
export async function serving<T extends Router & Runtime>(target: T): Promise<T> {
  const wanted = { releaseId: opened().stable.id, releaseDir: "/nowhere", readySeconds: 1 };
  await target.start(arms.stable, wanted);
  await target.writeStable(arms.stable);
  await target.writeWeights({ [arms.stable]: 100 });
  return target;
}

/** Opens the rollout in `folder` unless it is open, and runs it as one process would. */
export async function runRollout({
  target,
  folder,
  clock,
  strategy,
  wrap = (store) => store,
  replayGolden = async () => {},
  proveReturn = async () => {},
  compareAnswers = async (_, count) => ({ compared: count, changed: 0 }),
  signal = new AbortController().signal,
}: {
  target: Router & Runtime;
  folder: string;
  clock: Clock;
  strategy?: Strategy;
  wrap?: (store: Store) => Store;
  replayGolden?: () => Promise<void>;
  proveReturn?: Effects["proveReturn"];
  compareAnswers?: Effects["compareAnswers"];
  signal?: AbortSignal;
}): Promise<RolloutState> {
  const store = wrap(fileStore(folder, clock));
  const lease = await store.acquire("tester@elsewhere:1");
  try {
    if (fold(await store.readJournal(rollout)) === undefined) await store.append(rollout, lease, opened(strategy));
    const quiet = { onEntry: () => {}, onLook: () => {} };
    const effects = {
      router: target,
      runtime: target,
      releasesDir: "/nowhere",
      replayGolden,
      proveReturn,
      compareAnswers,
    };
    return await run({ ...effects, ...quiet, rollout, lease, store, clock, signal });
  } finally {
    await store.release(lease);
  }
}
