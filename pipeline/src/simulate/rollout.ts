import { judge, type Look } from "../decide/judge.ts";
import { weightsOf } from "../decide/weights.ts";
import type { Slo, Strategy } from "../spec/policy.ts";
import { type Answers, emptySample } from "../spec/sample.ts";
import type { Fault } from "./fault.ts";
import type { Random } from "./random.ts";
import { type Arm, answer, rateAt, type Site } from "./traffic.ts";

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
  const canary: Arm = { fault, load: 0 };
  const baseline: Arm = { fault: {}, load: 0 };
  const startOfDay = random.uniform() * 86_400;
  const looks: Look[] = [];
  let seconds = 0;
  let requests = 0;
  for (const [i, step] of strategy.steps.entries()) {
    const weights = weightsOf(names, step.weight);
    looks.push({ step: i, answers: { compared: 0, changed: 0 }, canary: emptySample, baseline: emptySample });
    for (let elapsed = strategy.lookSeconds; ; elapsed += strategy.lookSeconds) {
      const over = strategy.lookSeconds;
      const arriving = rateAt(site, startOfDay + seconds) * over;
      const draw = (arm: Arm, weight = 0) =>
        answer(arm, { requests: (arriving * weight) / 100, over, seconds, site }, random);
      const look = {
        step: i,
        answers: compareAnswers(strategy.judge.answersPerLook, fault, random),
        canary: draw(canary, weights.canary),
        baseline: draw(baseline, weights.baseline),
      };
      looks.push(look);
      seconds += over;
      requests += look.canary.requests;
      const { verdict } = judge(looks, step, elapsed, { judge: strategy.judge, slo });
      if (verdict?.kind === "pass") break;
      if (verdict?.kind === "inconclusive") return { result: "paused", seconds, requests };
      if (verdict !== undefined) return { result: "aborted", seconds, requests };
    }
  }
  return { result: "promoted", seconds, requests };
}

function compareAnswers(compared: number, { changedRate = 0 }: Fault, random: Random): Answers {
  let changed = 0;
  for (let i = 0; i < compared; i++) if (random.uniform() < changedRate) changed += 1;
  return { compared, changed };
}
