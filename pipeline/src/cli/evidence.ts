import { fold } from "../decide/state.ts";
import type { Store } from "../rollout/ports.ts";
import type { RolloutEvidence } from "../spec/statement.ts";

/** How the newest ended rollout of a release ended. */
export async function findRollout(store: Store, release: string): Promise<RolloutEvidence | undefined> {
  for (const id of (await store.listRollouts()).reverse()) {
    const entries = await store.readJournal(id);
    const state = fold(entries);
    if (state?.closed === undefined || state.opened.candidate.id !== release) continue;
    return { id, ...state.closed, at: entries.at(-1)?.at ?? "" };
  }
  return undefined;
}
