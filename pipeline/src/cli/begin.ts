import { mayBegin } from "../decide/begin.ts";
import { readRecord } from "../release/record.ts";
import { proveStaged, readRelease } from "../release/stage.ts";
import { systemClock } from "../rollout/clock.ts";
import { rolloutId } from "../rollout/open.ts";
import type { BudgetReading } from "../spec/budget.ts";
import { DeployError } from "../spec/error.ts";
import type { Command } from "../spec/journal.ts";
import type { Release } from "../spec/release.ts";
import { explain } from "../spec/verdict.ts";
import { demandTrusted } from "./attest.ts";
import type { Holding } from "./holding.ts";
import type { Host } from "./host.ts";
import type { Target } from "./target.ts";

/** The release that the target falls back to. */
export async function stableOf(host: Host, { runtime }: Target): Promise<{ revision: string; release: Release }> {
  const revision = await runtime.readStable();
  const found = (await runtime.list()).find((candidate) => candidate.id === revision);
  if (revision === undefined || found === undefined) {
    throw new DeployError("E_STATE", "Cannot begin a rollout: the site has no stable release; next: sluice deploy");
  }
  return { revision, release: await readRelease(host.releasesDir, found.releaseId) };
}

/** Throws `E_GATE` where the freeze policy or a cooldown forbids a rollout to begin; `override` is somebody's reason to begin all the same. */
export async function demandBeginning(
  host: Pick<Host, "policies" | "store">,
  candidate: Release,
  override: string | undefined,
): Promise<void> {
  const { freeze: windows, strategy } = host.policies;
  const abortedAt = await lastAborted(host, candidate);
  const verdict = mayBegin({ now: systemClock.now(), windows, strategy, abortedAt });
  if (verdict.kind === "pass" || override !== undefined) return;
  throw new DeployError(
    "E_GATE",
    `Cannot begin a rollout of ${candidate.id}: ${explain(verdict)}; next: wait, or --override REASON`,
  );
}

async function lastAborted({ store }: Pick<Host, "store">, candidate: Release): Promise<number | undefined> {
  for (const id of (await store.listRollouts()).reverse()) {
    const entries = await store.readJournal(id);
    const [first, last] = [entries[0]?.event, entries.at(-1)];
    if (first?.kind !== "opened" || first.candidate.id !== candidate.id) continue;
    return last?.event.kind === "closed" && last.event.result === "aborted" ? Date.parse(last.at) : undefined;
  }
  return undefined;
}

/** What a rollout begins with, besides its policies. `budget` was read just now; `command` is given to the rollout at once. */
interface Beginning {
  candidate: Release;
  command?: Command;
  override?: string | undefined;
  budget?: BudgetReading | undefined;
}

/** Opens a rollout of an admitted release against stable and returns its id. */
export async function beginRollout(
  host: Host,
  target: Target,
  { lease }: Holding,
  { candidate, command, override, budget }: Beginning,
): Promise<string> {
  await readRecord(host.releasesDir, candidate.id);
  await proveStaged(host.releasesDir, candidate);
  await demandTrusted(host, candidate.id);
  const stable = await stableOf(host, target);
  const rollout = rolloutId(systemClock.now(), candidate.id);
  const { strategy, slo } = host.policies;
  const arms = {
    stable: stable.revision,
    canary: revisionId(candidate, rollout, "canary"),
    baseline: revisionId(stable.release, rollout, "baseline"),
  };
  await host.store.append(rollout, lease, {
    kind: "opened",
    rollout,
    candidate,
    stable: stable.release,
    arms,
    strategy,
    slo,
    ...(override === undefined ? {} : { override }),
    ...(budget === undefined ? {} : { budget }),
  });
  if (command !== undefined) await host.store.append(rollout, lease, { kind: "commanded", command });
  return rollout;
}

/** A revision's id says what it runs and which rollout began it: `magika-3.3.0-0123456789ab.canary.143210`. */
function revisionId(release: Release, rollout: string, arm: string): string {
  const time = rollout.slice("2026-01-01T".length, "2026-01-01T000000".length);
  return `${release.id}.${arm}.${time}`;
}
