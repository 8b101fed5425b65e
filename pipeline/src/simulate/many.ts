import { binomialTail } from "../decide/binomial.ts";
import type { Slo, Strategy } from "../spec/policy.ts";
import { type FaultName, faults } from "./fault.ts";
import { randomFrom } from "./random.ts";
import { type Ending, simulateRollout } from "./rollout.ts";
import type { Site } from "./traffic.ts";

/**
 * What became of `runs` rollouts with one fault. `rate` is the share taken back, `low` and `high` bound it with 95 %
 * confidence (Clopper-Pearson). The medians are of those taken back, `promotedSeconds` is the longest of those promoted:
 * null when there was none.
 */
export interface Tally {
  fault: FaultName;
  runs: number;
  promoted: number;
  aborted: number;
  paused: number;
  rate: number;
  low: number;
  high: number;
  medianRequests: number | null;
  medianSeconds: number | null;
  promotedSeconds: number | null;
}

/** Simulates `runs` rollouts with one fault; the same `seed` gives the same figures. */
export function simulateMany(
  fault: FaultName,
  { strategy, slo, site, runs, seed }: { strategy: Strategy; slo: Slo; site: Site; runs: number; seed: number },
): Tally {
  const random = randomFrom(seed);
  const endings = Array.from({ length: runs }, () =>
    simulateRollout({ strategy, slo, site, fault: faults[fault] }, random),
  );
  const having = (result: Ending["result"]) => endings.filter((ending) => ending.result === result);
  const back = having("aborted");
  const aborted = back.length;
  const promoted = having("promoted");
  return {
    fault,
    runs,
    promoted: promoted.length,
    aborted,
    paused: having("paused").length,
    rate: aborted / runs,
    ...interval(aborted, runs),
    medianRequests: median(back.map(({ requests }) => requests)),
    medianSeconds: median(back.map(({ seconds }) => seconds)),
    promotedSeconds: promoted.reduce<number | null>((most, { seconds }) => Math.max(most ?? 0, seconds), null),
  };
}

/** Rates that `hits` of `trials` do not contradict at 95 %. */
export function interval(hits: number, trials: number): { low: number; high: number } {
  const low = hits === 0 ? 0 : bisect((rate) => binomialTail(hits, trials, rate) < 0.025);
  const high = hits === trials ? 1 : bisect((rate) => 1 - binomialTail(hits + 1, trials, rate) >= 0.025);
  return { low, high };
}

/** The largest rate at which `holds`, which holds for every smaller one. */
function bisect(holds: (rate: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function median(values: number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
