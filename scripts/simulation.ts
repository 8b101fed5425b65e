import { readPolicies } from "../pipeline/src/release/policies.ts";
import { faultNames } from "../pipeline/src/simulate/fault.ts";
import { modelled } from "../pipeline/src/simulate/latencies.ts";
import { simulateMany } from "../pipeline/src/simulate/many.ts";
import { simulationSection } from "../pipeline/src/simulate/page.ts";
import { RolloutPolicy } from "../pipeline/src/spec/policy.ts";
import { readYaml } from "../pipeline/src/spec/read.ts";

/** Writes docs/simulation.md: the shipped strategies under every fault. `node bin/bun.mjs scripts/simulation.ts` */
const { slo, environment } = await readPolicies("policies", "local");
const synthetic = environment.traffic?.ratePerSecond ?? 60;
const { strategies } = await readYaml("policies/rollout.yaml", RolloutPolicy);
const sites = { laptop: { ratePerSecond: synthetic, swing: 0 }, default: { ratePerSecond: 100, swing: 0.33 } };
const seed = 20;
const parts: string[] = [];
for (const [name, shape] of Object.entries(sites)) {
  const strategy = strategies[name];
  if (strategy === undefined) throw new Error(`Cannot simulate ${name}: policies/rollout.yaml lacks it`);
  const site = { ...shape, errorRate: slo.maxErrorRate / 2, noiseRate: 0, latencies: modelled(5) };
  const tallies = faultNames.map((fault) =>
    simulateMany(fault, { strategy, slo, site, runs: fault === "none" ? 2_000 : name === "default" ? 100 : 400, seed }),
  );
  parts.push(simulationSection(tallies, { strategy: name, ...shape, seed, command: "scripts/simulation.ts" }));
}

const head = `# What the judge sees

Simulated rollouts on a virtual clock, with the real judge and the strategies of \`policies/rollout.yaml\`. Latencies are
lognormal around 5 ms with a Pareto tail in 2 % of requests; each arm's load wanders from second to second (AR(1)), and one second
in a hundred is stalled by 40 ms as a whole. Half of the error rate that the SLO allows is always there, on both arms. "Taken
back" is a false alarm for \`none\` and a detection for every other fault; the interval is Clopper and Pearson's.

Written by \`node bin/bun.mjs scripts/simulation.ts\`. One at a time: \`sluice simulate --strategy default --fault twice-as-slow\`.

The goals: \`none\` at most 1 %; \`errors-1-percent\`, \`slower-30-percent\` (p99 +30 %) and \`flips-2-percent\` at least 95 %.

- The laptop allows 2 % label flips (\`maxChangedRate: 0.05\`), for magika 3.3.0 is meant to answer otherwise than 3.2.0 in about
  that share; \`default\` allows 0.5 %. A release that is meant to change more says so in a strategy of its own.
- The laptop's minute of synthetic traffic is too little for \`slower-30-percent\`, and for some of the \`errors-1-percent\`.
- A slower tail alone hides behind the p90 that the judge looks at; the SLO's own p99 is what catches it when it matters.
`;
await Bun.write("docs/simulation.md", `${head}\n${parts.join("\n")}`);
