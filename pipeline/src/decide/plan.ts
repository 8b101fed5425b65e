import type { Slo, Strategy } from "../spec/policy.ts";
import { evidence, type Trials } from "./evidence.ts";
import { type Needed, neededFor, thresholdOf } from "./needed.ts";

/** One step as it would go at a given rate of requests. Seconds are those of the policy, or longer where traffic is thin. */
export interface PlannedStep {
  weight: number;
  approval: boolean;
  /** Until the step passes: its window, or the time that its fewest requests take. */
  seconds: number;
  /** Whether the step would pause, for want of requests, at `maxSeconds`. */
  starves: boolean;
  /** The canary's requests until then, and the fewest that a pass needs. */
  requests: number;
  minRequests: number;
}

/**
 * What a rollout would do. `brokenRequests`: after how many requests of its own a canary that fails every one is
 * taken back; `brokenSeconds`: how long that takes; `budgetShare`: the share 0..1 of the error budget that they spend.
 */
export interface Plan {
  steps: PlannedStep[];
  needed: Needed;
  seconds: number;
  brokenRequests: number;
  brokenSeconds: number;
  budgetShare: number;
}

/** Says beforehand what a strategy asks for on a site with `ratePerSecond` requests and a budget of `budgetDays`. */
export function plan(
  strategy: Strategy,
  { slo, ratePerSecond, budgetDays }: { slo: Slo; ratePerSecond: number; budgetDays: number },
): Plan {
  const steps = strategy.steps.map((step): PlannedStep => {
    const canaryPerSecond = (ratePerSecond * step.weight) / 100;
    const needed = step.minRequests / canaryPerSecond;
    const starves = !(needed <= step.maxSeconds);
    const seconds = starves ? step.maxSeconds : Math.max(step.seconds, needed);
    return {
      weight: step.weight,
      approval: step.approval,
      seconds,
      starves,
      requests: Math.floor(canaryPerSecond * seconds),
      minRequests: step.minRequests,
    };
  });
  const brokenRequests = requestsOfBroken(strategy, slo, ratePerSecond);
  const firstPerSecond = (ratePerSecond * (strategy.steps[0]?.weight ?? 0)) / 100;
  const looks = Math.ceil(brokenRequests / firstPerSecond / strategy.lookSeconds);
  return {
    steps,
    needed: neededFor(strategy, slo),
    seconds: steps.reduce((sum, step) => sum + step.seconds, 0),
    brokenRequests,
    brokenSeconds: looks * strategy.lookSeconds,
    budgetShare:
      (looks * strategy.lookSeconds * firstPerSecond) / (ratePerSecond * budgetDays * 86_400 * slo.maxErrorRate),
  };
}

/** By the errors alone, at the first step's weight; no look brings more than `evidencePerLook`. */
function requestsOfBroken(strategy: Strategy, slo: Slo, ratePerSecond: number): number {
  const { judge, lookSeconds, steps } = strategy;
  const perLook = (ratePerSecond * (steps[0]?.weight ?? 0) * lookSeconds) / 100;
  const broken = { hits: perLook, misses: 0, odds: slo.maxErrorRate / (1 - slo.maxErrorRate) };
  const evidenceAfter = (looks: number) => evidence(Array<Trials>(looks).fill(broken), judge.evidencePerLook);
  let looks = 1;
  while (evidenceAfter(looks) < thresholdOf(strategy, slo)) looks += 1;
  return Math.ceil(looks * perLook);
}
