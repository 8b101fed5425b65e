import { join } from "node:path";
import type { Opened } from "../decide/state.ts";
import { weightsOf } from "../decide/weights.ts";
import type { Action } from "../spec/journal.ts";
import type { Release } from "../spec/release.ts";
import type { Answers } from "../spec/sample.ts";
import type { Router, Runtime } from "./ports.ts";

/** What an action needs to be done. `replayGolden` throws `E_GATE` when the revision at `address` answers wrongly. */
export interface Effects {
  router: Router;
  runtime: Runtime;
  releasesDir: string;
  replayGolden: (address: string, release: Release) => Promise<void>;
  /** Throws `E_DIGEST` or `E_STATE` when the release could not be returned to, for it is no longer there as it was. */
  proveReturn: (release: Release) => Promise<void>;
  /** Puts `count` requests to the revisions at these addresses and compares their answers with stable's. */
  compareAnswers: (addresses: { stable: string; canary: string; baseline?: string }, count: number) => Promise<Answers>;
}

/** Does one action on the target. Every one may be done again after a crash, whether or not it took effect before. */
export async function perform(action: Action, opened: Opened, effects: Effects): Promise<void> {
  const { router, runtime } = effects;
  const { arms, strategy } = opened;
  switch (action.do) {
    case "start": {
      const release = action.arm === "canary" ? opened.candidate : opened.stable;
      await runtime.start(arms[action.arm], {
        releaseId: release.id,
        releaseDir: join(effects.releasesDir, release.id),
        readySeconds: strategy.readySeconds,
      });
      return;
    }
    case "replayGolden":
      return effects.replayGolden(await runtime.addressOf(arms.canary), opened.candidate);
    case "setWeight":
      return router.writeWeights(weightsOf(arms, action.weight));
    case "shiftAll":
      return router.writeWeights({ [arms[action.to]]: 100 });
    case "proveReturn":
      // Nor does anybody stay where nothing could be started again.
      await effects.proveReturn(opened.stable);
      return effects.proveReturn(opened.candidate);
    case "setStable":
      return runtime.writeStable(arms.canary);
    case "stop":
      return runtime.stop(arms[action.arm], { drainSeconds: strategy.drainSeconds });
  }
}
