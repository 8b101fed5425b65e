import type { Arms } from "./arms.ts";
import type { Ending } from "./meter.ts";
import type { Upstream } from "./upstream.ts";

const errorsToEject = 5;
const firstPauseMs = 1_000;
const maxPauseMs = 30_000;

/**
 * Passive health: a revision that failed several times in a row is left alone for a while, twice as long each time.
 * What is drawn for it meanwhile is answered by another and counted as its error: clients are spared, the judge is not misled.
 * Only while those that remain hold at least half of the weight: most of the traffic is never thrown at the few.
 */
export function noteEnding(upstream: Upstream, ending: Ending, arms: Arms): void {
  if (ending === "cancelled") return;
  if (ending !== "error") {
    upstream.errorsInRow = 0;
    upstream.ejections = 0;
    return;
  }
  upstream.errorsInRow += 1;
  const isSecondChance = upstream.ejections > 0;
  if (upstream.errorsInRow < errorsToEject && !isSecondChance) return;
  if (arms.weightWithout(upstream) < 50) return;
  const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** upstream.ejections);
  upstream.ejectedUntil = performance.now() + pauseMs;
  upstream.ejections += 1;
  upstream.errorsInRow = 0;
}
