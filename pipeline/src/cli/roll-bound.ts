import { join } from "node:path";
import type { Opened } from "../decide/state.ts";
import { systemClock } from "../rollout/clock.ts";
import { run } from "../rollout/loop.ts";
import type { Store } from "../rollout/ports.ts";
import { DeployError } from "../spec/error.ts";
import type { Entry } from "../spec/journal.ts";
import { answerComparer } from "../stage/answers.ts";
import { replayOverHttp } from "../stage/golden-http.ts";
import { goldenRequests } from "../stage/load/request.ts";
import { startTraffic } from "../stage/load/traffic.ts";
import { type Bound, boundRuntime } from "../target/bound/runtime.ts";
import type { Control } from "../target/haproxy/control.ts";
import { openHaproxy } from "../target/haproxy/router.ts";
import type { Holding } from "./holding.ts";
import { interruption } from "./interrupt.ts";
import { goldenOf } from "./traffic.ts";

/** Where things run: `site` is where clients come, `addresses` lead to one arm each, `key` has the scope `predict`. */
export type BoundStage = {
  site: string;
  control: Control;
  key: string;
  addresses: Record<keyof Opened["arms"], string>;
};

/** The open rollout, where it is kept, and whom it tells. `folder` keeps the router's counts. */
export type BoundRollout = {
  opened: Opened;
  held: Holding;
  store: Store;
  folder: string;
  onEntry: (entry: Entry) => void;
};

/** The model folders of both releases: the candidate's golden answers are asked of it, stable's questions of everybody. */
type Models = { candidateDir: string; stableDir: string };

/** Takes an open rollout to its end on revisions that run already, under made-up traffic at `ratePerSecond` when it is given. */
export async function rollBound(
  stage: BoundStage,
  { opened, held, store, folder, onEntry }: BoundRollout,
  { candidateDir, stableDir, ratePerSecond }: Models & { ratePerSecond: number | undefined },
): Promise<void> {
  const { arms, candidate, stable, strategy, rollout } = opened;
  const { key, site, control, addresses } = stage;
  const bound: Bound[] = [
    { id: arms.stable, releaseId: stable.id, address: addresses.stable },
    { id: arms.baseline, releaseId: stable.id, address: addresses.baseline },
    { id: arms.canary, releaseId: candidate.id, address: addresses.canary },
  ];
  const runtime = boundRuntime(bound, arms.stable);
  const stableWanted = { releaseId: stable.id, releaseDir: folder, readySeconds: strategy.readySeconds };
  await runtime.start(arms.stable, stableWanted);
  const golden = await goldenOf(stableDir);
  const requests = goldenRequests(candidate.model.name, golden);
  const traffic = ratePerSecond === undefined ? undefined : startTraffic({ url: site, key, requests, ratePerSecond });
  const interrupt = interruption();
  try {
    await run({
      router: openHaproxy({ control, samplesFile: join(folder, "samples.json") }),
      runtime,
      rollout,
      store,
      lease: held.lease,
      signal: AbortSignal.any([held.lost, interrupt.signal]),
      clock: systemClock,
      releasesDir: folder,
      replayGolden: (address) => replayOverHttp(address, key, candidateDir),
      // Stable runs beside the canary all the while: to return is to give it the traffic again.
      proveReturn: async () => void (await runtime.start(arms.stable, stableWanted)),
      compareAnswers: answerComparer(
        golden.cases.map((one) => one.request),
        { key, model: candidate.model.name, timeoutMs: 5_000 },
      ),
      onEntry,
      onLook: () => {},
    });
  } finally {
    interrupt.stop();
    await traffic?.stop();
  }
}

/** `host:port` or a socket's path, as where HAProxy's runtime API is. Throws `E_USAGE`. */
export function parseControl(text: string): Control {
  if (text.startsWith("/")) return { path: text };
  const { host, port } = /^(?<host>[^\s:/]+):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (host !== undefined && port !== undefined) return { host, port: Number(port) };
  throw new DeployError("E_USAGE", `Cannot use --control ${text}: expected host:port or the path of a socket`);
}
