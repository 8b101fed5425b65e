import { join } from "node:path";
import type { Judgement } from "../decide/judge.ts";
import type { RolloutState } from "../decide/state.ts";
import { proveStaged } from "../release/stage.ts";
import { doneWords } from "../report/timeline.ts";
import { plainReason } from "../report/words.ts";
import { systemClock } from "../rollout/clock.ts";
import { run } from "../rollout/loop.ts";
import type { Entry, Event } from "../spec/journal.ts";
import { answerComparer } from "../stage/answers.ts";
import { replayOverHttp } from "../stage/golden-http.ts";
import { proveImage } from "./docker.ts";
import type { Holding } from "./holding.ts";
import type { Host } from "./host.ts";
import { interruption } from "./interrupt.ts";
import type { Progress } from "./progress.ts";
import type { Target } from "./target.ts";
import { knownRequests, startSyntheticTraffic } from "./traffic.ts";

/** Takes the open rollout on from where its journal stands, under the environment's own traffic when it has some. */
export async function roll(
  host: Host,
  target: Target,
  held: Holding,
  { rollout, progress }: { rollout: string; progress: Progress },
): Promise<RolloutState> {
  const golden = await knownRequests(host);
  const { key } = host.keys;
  const traffic = startSyntheticTraffic(host, target.address, golden);
  const interrupt = interruption();
  try {
    return await run({
      router: target.router,
      runtime: target.runtime,
      rollout,
      lease: held.lease,
      store: host.store,
      clock: systemClock,
      signal: AbortSignal.any([held.lost, interrupt.signal]),
      releasesDir: host.releasesDir,
      replayGolden: (address, release) => replayOverHttp(address, key, join(host.releasesDir, release.id, "model")),
      proveReturn: async (release) => {
        await proveStaged(host.releasesDir, release);
        if (release.code.kind === "image") await proveImage(host, release.code);
      },
      compareAnswers: answerComparer(
        golden.cases.map((one) => one.request),
        { key, model: host.policies.environment.model, timeoutMs: 5_000 },
      ),
      onEntry: (entry, state) => tell(progress, entry, state),
      onLook: (judgement, state) => progress.now(wordsOfLook(judgement, state)),
    });
  } finally {
    interrupt.stop();
    await traffic?.stop();
  }
}

type Judged = Extract<Event, { kind: "judged" }>;

function tell(progress: Progress, entry: Entry, state: RolloutState): void {
  const { event } = entry;
  switch (event.kind) {
    case "outcome":
      progress.done(event.error ?? doneWords(event.action));
      return;
    case "judged":
      progress.done(wordsOfVerdict(event, state));
      return;
    case "commanded":
      progress.done(`${event.command.command} by ${event.command.by}: ${event.command.reason}`);
      return;
    case "paused":
    case "closed":
      progress.done(`${event.kind === "closed" ? event.result : "paused"}: ${event.reason}`);
      return;
    case "opened":
    case "intent":
    case "looked":
      return;
  }
}

/** One that is no pass says why: it is what the rollout waits for, or ends with. */
function wordsOfVerdict({ step, verdict, figure }: Judged, { opened }: RolloutState): string {
  const words = `step ${step + 1} of ${opened.strategy.steps.length}: ${verdict.kind}; ${figure}`;
  return verdict.kind === "pass" ? words : `${words}; ${plainReason(verdict)}`;
}

function wordsOfLook(judgement: Judgement, state: RolloutState): string {
  const step = state.opened.strategy.steps[state.step];
  const seconds = Math.round((systemClock.now() - state.stepSince) / 1000);
  return `weight ${step?.weight ?? 0}, ${seconds} s of ${step?.seconds ?? 0} s; ${judgement.figure}`;
}
