import { fold, type RolloutState } from "../decide/state.ts";
import type { Store } from "./ports.ts";

/** A rollout's id: when it was opened, to the second, so that names sort by age. */
export function rolloutId(now: number, candidateId: string): string {
  const stamp = new Date(now).toISOString().replace(/[:]/g, "").slice(0, 17);
  return `${stamp}-${candidateId}`;
}

/** The newest rollout, open or closed. */
export async function newestRollout(store: Store): Promise<{ id: string; state: RolloutState } | undefined> {
  for (const id of (await store.listRollouts()).reverse()) {
    const state = fold(await store.readJournal(id));
    if (state !== undefined) return { id, state };
  }
  return undefined;
}

/** The newest rollout when it has not ended. */
export async function openRollout(store: Store): Promise<{ id: string; state: RolloutState } | undefined> {
  const newest = await newestRollout(store);
  return newest?.state.closed === undefined ? newest : undefined;
}
