import type { JudgePolicy } from "../spec/policy.ts";
import type { Answers } from "../spec/sample.ts";
import { evidence } from "./evidence.ts";
import { type Metric, percent } from "./metric.ts";
import { trials } from "./trials.ts";

/**
 * Answers of the canary that differ from stable's. Allowed are as many as the release is meant to change, and `ratio`
 * times as many as the baseline (stable's own release) gives otherwise to the very same requests: the noise floor.
 * Only what exceeds both speaks against the canary: the smaller of two valid evidences is valid against either null.
 */
export function answersMetric(looks: readonly { answers: Answers }[], policy: JudgePolicy): Metric {
  const answers = looks.map((look) => look.answers);
  const meant = evidence(answers.map(({ changed, compared }) => trials(changed, compared, policy.maxChangedRate)));
  return {
    name: "answers",
    against: "stable",
    evidence: Math.min(meant, evidenceOverNoise(answers, policy)),
    get words() {
      const count = (of: (one: Answers) => number) => answers.reduce((sum, one) => sum + of(one), 0);
      const noise = answers.some((one) => one.noise !== undefined)
        ? `, baseline's ${count((one) => one.noise ?? 0)}`
        : "";
      const allowed = percent(policy.maxChangedRate);
      return `${count((one) => one.changed)} of ${count((one) => one.compared)} answers differ from stable's${noise}, policy allows ${allowed}`;
    },
  };
}

/** Both arms answered the same requests, so that a change is as likely to be either's when the canary is like the baseline. */
function evidenceOverNoise(answers: readonly Answers[], { ratio }: JudgePolicy): number {
  const paired = answers.filter((one) => one.noise !== undefined);
  if (paired.length === 0) return Number.POSITIVE_INFINITY;
  return evidence(paired.map(({ changed, noise = 0 }) => ({ hits: changed, misses: noise, odds: ratio })));
}
