import type { Arms } from "../spec/journal.ts";
import type { JudgePolicy, Step } from "../spec/policy.ts";
import { evidence } from "./evidence.ts";
import { countIn, type Delta } from "./metric.ts";
import { weightsOf } from "./weights.ts";

const names: Arms = { stable: "stable", canary: "canary", baseline: "baseline" };

/**
 * Says why two arms are no comparison when one of them got far more requests than the weights say; undefined as long
 * as it is not shown. Such a split means that something else chose who is asked, or that an arm's answers are lost or
 * blamed on the clients. Fabijan et al. (2019), "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments".
 */
export function skewOf(
  window: readonly Delta[],
  { weight }: Step,
  { policy: { maxSkew }, threshold }: { policy: JudgePolicy; threshold: number },
): string | undefined {
  const weights = weightsOf(names, weight);
  const [wanted = 0, other = 0] = [weights[names.canary], weights[names.baseline]];
  if (other === 0) return undefined;
  const [canary, baseline] = [countIn(window, "canary"), countIn(window, "baseline")];
  const toCanary = evidence([{ hits: canary, misses: baseline, odds: (maxSkew * wanted) / other }]);
  const toBaseline = evidence([{ hits: baseline, misses: canary, odds: (maxSkew * other) / wanted }]);
  if (toCanary < threshold && toBaseline < threshold) return undefined;
  const [refused, alike] = [countIn(window, "canary", "clientErrors"), countIn(window, "baseline", "clientErrors")];
  return `traffic is skewed: canary had ${canary} requests, baseline ${baseline}, weights are ${wanted} to ${other} (besides, ${refused} and ${alike} were answered 4xx)`;
}
