import { judge, type Look } from "../decide/judge.ts";
import { weightsOf } from "../decide/weights.ts";
import type { Slo, Strategy } from "../spec/policy.ts";
import { emptySample } from "../spec/sample.ts";
import type { Fault } from "./fault.ts";
import type { Random } from "./random.ts";
import { type Arm, answer, compare, rateAt, type Site } from "./traffic.ts";

/** How one simulated rollout ended, after how many seconds and how many of the canary's requests. */
export interface Ending {
  result: "promoted" | "aborted" | "paused";
  seconds: number;
  requests: number;
}

const names = { stable: "stable", canary: "canary", baseline: "baseline" };

/** One rollout on a virtual clock: the real judge, at the strategy's own looks, over drawn requests. */
export function simulateRollout(
  { strategy, slo, site, fault }: { strategy: Strategy; slo: Slo; site: Site; fault: Fault },
  random: Random,
): Ending {
  const { lookSeconds, steps, judge: policy } = strategy;
  const stream = site.latencies.weather(random);
  const canary: Arm = { fault, stream: stream() };
  const baseline: Arm = { fault: {}, stream: stream() };
  const hasBaseline = steps.some(({ weight }) => weight < 100);
  const startOfDay = random.uniform() * 86_400;
  const looks: Look[] = [];
  let seconds = 0;
  let requests = 0;
  for (const [i, step] of steps.entries()) {
    const weights = weightsOf(names, step.weight);
    const head = { attempt: 0, step: i };
    // As in the loop, a step's first look is taken before its traffic.
    const nothing = { seconds: 0, answers: { compared: 0, changed: 0 }, canary: emptySample, baseline: emptySample };
    looks.push({ ...head, ...nothing });
    for (;;) {
      const arriving = rateAt(site, startOfDay + seconds) * lookSeconds;
      const draw = (arm: Arm, weight = 0) =>
        answer(arm, { requests: (arriving * weight) / 100, over: lookSeconds, seconds, site }, random);
      const look = {
        ...head,
        seconds: lookSeconds,
        answers: compare(policy.answersPerLook, { fault, site, hasBaseline }, random),
        canary: draw(canary, weights.canary),
        baseline: draw(baseline, weights.baseline),
      };
      looks.push(look);
      seconds += lookSeconds;
      requests += look.canary.requests;
      const { verdict } = judge(looks, step, { judge: policy, slo });
      if (verdict?.kind === "pass") break;
      if (verdict?.kind === "inconclusive") return { result: "paused", seconds, requests };
      if (verdict !== undefined) return { result: "aborted", seconds, requests };
    }
  }
  return { result: "promoted", seconds, requests };
}
