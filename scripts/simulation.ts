import { readFile } from "node:fs/promises";
import { readPolicies } from "../pipeline/src/release/policies.ts";
import { fewestTrials } from "../pipeline/src/simulate/bound.ts";
import { effectOf } from "../pipeline/src/simulate/effect.ts";
import { type FaultName, faultNames, faults } from "../pipeline/src/simulate/fault.ts";
import { modelled } from "../pipeline/src/simulate/latencies.ts";
import { simulateMany, type Tally } from "../pipeline/src/simulate/many.ts";
import { aligned, percent, simulationTable } from "../pipeline/src/simulate/page.ts";
import { simulationChart } from "../pipeline/src/simulate/svg.ts";
import { parseTrace, replayed } from "../pipeline/src/simulate/trace.ts";
import type { Site } from "../pipeline/src/simulate/traffic.ts";
import { RolloutPolicy, type Strategy } from "../pipeline/src/spec/policy.ts";
import { readYaml } from "../pipeline/src/spec/read.ts";

/** Writes docs/simulation.md and its chart: the shipped strategies under every fault. `npm run simulation` */
const seed = 20;
const goals: readonly FaultName[] = ["errors-1-percent", "slower-30-percent", "flips-2-percent"];

const { slo, environment } = await readPolicies("policies", "local");
const { strategies } = await readYaml("policies/rollout.yaml", RolloutPolicy);
const ordinary = { errorRate: slo.maxErrorRate / 2, noiseRate: 0, latencies: modelled(5) };
const laptopSite: Site = { ...ordinary, ratePerSecond: environment.traffic?.ratePerSecond ?? 60, swing: 0 };
const ownSite: Site = { ...ordinary, ratePerSecond: 100, swing: 0.33 };

const laptop = simulated("laptop", laptopSite, faultNames);
const careful = simulated("default", ownSite, faultNames);
const blueGreen = simulated("blue-green", ownSite, faultNames, { none: 500, goal: 100 });
const [calm, overloaded] = [await recorded("calm"), await recorded("overloaded")];
const noisy = simulated("default", { ...ownSite, noiseRate: 0.01 }, ["none", "flips-2-percent", "flips-10-percent"], {
  none: 500,
  goal: 100,
});
const thin: Site = { ...ordinary, ratePerSecond: 20, swing: 0 };
const few = ["laptop", "default"].map((name) => simulated(name, thin, ["errors-5-percent"], { none: 1, goal: 200 }));
const fiveTimes = ["laptop", "default"].map((name) =>
  simulated(name, { ...thin, errorRate: 0.01 }, ["errors-5-percent"]),
);

const chart = simulationChart([
  { title: `laptop, ${laptopSite.ratePerSecond} per second`, tallies: laptop },
  { title: `default, ${ownSite.ratePerSecond} per second`, tallies: careful },
  { title: `blue-green, ${ownSite.ratePerSecond} per second`, tallies: blueGreen },
]);
await Bun.write("docs/simulation.svg", chart);
await Bun.write("docs/simulation.md", page());

/** Rollouts by the laptop's strategy under what two processes of one release met side by side. */
async function recorded(name: string): Promise<Tally[]> {
  const paths = [1, 2].map((arm) => `docs/traces/${name}-${arm}.csv`);
  const traces = await Promise.all(paths.map(async (path) => parseTrace(await readFile(path, "utf8"), path)));
  const site = { ...laptopSite, latencies: replayed(traces) };
  return simulated("laptop", site, ["none", ...goals, "twice-as-slow"], { none: 1_000, goal: 200 });
}

function strategyOf(name: string): Strategy {
  const found = strategies[name];
  if (found === undefined) throw new Error(`Cannot simulate ${name}: policies/rollout.yaml lacks it`);
  return found;
}

function simulated(
  name: string,
  site: Site,
  wanted: readonly FaultName[],
  { none, goal }: { none: number; goal: number } = { none: 2_000, goal: 400 },
): Tally[] {
  const runs = (fault: FaultName) => (fault === "none" ? none : goals.includes(fault) ? goal : 100);
  return wanted.map((fault) => {
    process.stderr.write(`${name}: ${fault}\n`);
    return simulateMany(fault, { strategy: strategyOf(name), slo, site, runs: runs(fault), seed });
  });
}

function longest(tallies: readonly Tally[]): string {
  return `${tallies.find(({ fault }) => fault === "none")?.promotedSeconds ?? "-"} s`;
}

/** What each fault does to latency, as the simulator draws it. */
function effects(): string {
  const { judge } = strategyOf("default");
  const slow = faultNames.filter((name) => "slowdown" in faults[name] && name !== "slow-start");
  const times = (ratio: number) => `x ${ratio.toFixed(2)}`;
  const rows = slow.map((name) => {
    const { p50, p90, p99, share } = effectOf(faults[name], ownSite, { policy: judge, quantile: 0.9 });
    return [name, times(p50), times(p90), times(p99), percent(share)];
  });
  return aligned([["fault", "p50", "p90", "p99", "of the slowest 10 % are the canary's"], ...rows]);
}

/** What the best test of a fixed size needs, and what each strategy brings together. */
function bounds(): string {
  const { judge } = strategyOf("default");
  const metrics = 3 + judge.latencyQuantiles.length + slo.latency.length;
  const sure = { alpha: judge.falseAlarm / metrics, power: 0.95 };
  const slowest = (name: FaultName, among = 0.1) => {
    const { share } = effectOf(faults[name], ownSite, { policy: judge, quantile: 1 - among });
    const least = judge.ratio / (1 + judge.ratio);
    return share <= least ? Number.POSITIVE_INFINITY : fewestTrials(least, share, sure) / (2 * among);
  };
  const needed: [string, string, number][] = [
    [
      "errors-1-percent",
      `errors of the canary, ${percent(slo.maxErrorRate)} allowed`,
      fewestTrials(slo.maxErrorRate, 0.01, sure),
    ],
    ["slower-30-percent", "slowest 10 % of both arms", slowest("slower-30-percent")],
    ["p99-30-percent", "slowest 10 % of both arms", slowest("p99-30-percent")],
    ["p99-30-percent", "slowest 2 % of both arms", slowest("p99-30-percent", 0.02)],
    ["slower-10-percent", "slowest 10 % of both arms", slowest("slower-10-percent")],
    [
      "flips-2-percent",
      `answers, ${percent(judge.maxChangedRate)} allowed`,
      fewestTrials(judge.maxChangedRate, 0.02, sure),
    ],
  ];
  const rows = needed.map(([fault, what, count]) => [
    fault,
    what,
    Number.isFinite(count) ? String(Math.ceil(count)) : "never",
  ]);
  return aligned([["fault", "what is counted", "requests (answers) of the canary"], ...rows]);
}

function collected(name: string, ratePerSecond: number): string {
  const { steps, lookSeconds, judge } = strategyOf(name);
  const requests = steps.reduce((sum, { weight, seconds }) => sum + (ratePerSecond * weight * seconds) / 100, 0);
  const looks = steps.reduce((sum, { seconds }) => sum + seconds, 0) / lookSeconds;
  return `${Math.round(requests)} requests and ${Math.round(looks * judge.answersPerLook)} answers`;
}

function page(): string {
  return `# What the judge sees

Simulated rollouts on a virtual clock, with the real judge and the strategies of \`policies/rollout.yaml\`. Written by
\`npm run simulation\`; the same seed (${seed}) gives the same page. One at a time, or a policy of your own:
\`sluice simulate --policy FILE --strategy default --fault twice-as-slow --runs 2000\`.

**Goals** for the shipped strategies: \`none\` is taken back at most 1 %; \`errors-1-percent\` (0.1 to 1 %),
\`slower-30-percent\` (p99 +30 %) and \`flips-2-percent\` at least 95 %. A good canary is promoted in 90 s by \`laptop\`, in 10
minutes by \`default\`. "Taken back" is a false alarm for \`none\` and a detection for every other fault; the interval is Clopper
and Pearson's.

![Share taken back by fault and strategy](simulation.svg)

## laptop

${laptopSite.ratePerSecond} requests per second, all of them synthetic. The longest way to promotion of a good canary: ${longest(laptop)}.

${simulationTable(laptop)}

## default

${ownSite.ratePerSecond} requests per second, a third more or less by the time of the day. The longest way to promotion of a good
canary: ${longest(careful)}.

${simulationTable(careful)}

## blue-green

The same site. All traffic is on the canary at once: there is no baseline, so only the SLO and the answers speak, and what
is slower within the SLO is promoted.

${simulationTable(blueGreen)}

## A recorded site

\`laptop\` on latencies that were recorded (\`docs/traces\`): two processes of one release side by side, the tiny tabular model of the
tests. Both arms meet the same seconds, each those of its own process. On a machine with little else to do (p50 1.3 ms, p99 10 ms);
30 % slower is 0.4 ms here, and \`slowdown\` says that half a millisecond does not matter:

${simulationTable(calm)}

On one whose two cores twenty other programs wanted (p50 2 ms, p90 48 ms, p99 170 ms). No second is like the next, and the two
processes are not alike: there the chance of a false alarm is above the goal. Who deploys on such a machine should raise \`ratio\`:

${simulationTable(overloaded)}

Record your own: \`sluice trace MODEL --url ADDRESS --key-file FILE --out trace.csv\`, two at a time for two arms, then \`sluice simulate
--trace first.csv second.csv\`. A trace is a text with a line \`at_ms,latency_ms\`, then one line for each answered request: when it
was sent and how long it took, in milliseconds; a log of any proxy can be made into one.

## A model that does not always answer the same

\`default\` where one release answers 1 % of requests otherwise than the time before. The baseline shows this noise floor: it is
asked the same requests.

${simulationTable(noisy)}

## Errors at 20 requests per second

The baseline within its SLO, the canary fails 5 %. By \`laptop\`, and by \`default\`, whose first weight gives the canary one request a
second:

${simulationTable([...(few[0] ?? []), ...(few[1] ?? [])])}

Both arms outside the SLO: the baseline fails 1 %, the canary five times as many. What is not taken back is paused, for the baseline
is broken too; nothing is promoted.

${simulationTable([...(fiveTimes[0] ?? []), ...(fiveTimes[1] ?? [])])}

## What the faults are

Latencies are lognormal around 5 ms with a Pareto tail in 2 % of requests. Load wanders from second to second (AR(1)): mostly both
arms' together, for they have the same clients and neighbours, partly each arm's own; one second in two hundred of an arm is
stalled by 40 ms as a whole. Half of the error rate that the SLO allows is always there, on both arms. \`half-lost\` and
\`silent\`: half, or all, of the canary's requests never arrive; the right end is a pause. A minute after the first weight:

${effects()}

## How many requests it takes

The best test of a fixed size (Neyman and Pearson) of what the judge counts needs so many to be as sure as the goals ask: at most a ${slo.latency.length + 4}th of 1 %
of false alarms, for there are as many metrics, and 95 % of detections. One that may look at any time needs some more. Of errors and answers
there is nothing else to count, so no judge needs fewer; of latencies there is, at other limits than the policy names.

${bounds()}

\`laptop\` collects ${collected("laptop", laptopSite.ratePerSecond)} of the canary, \`default\` ${collected("default", ownSite.ratePerSecond)}. At
40 requests per second, which it had before, \`laptop\` collected ${collected("laptop", 40)}: hardly more
than errors need without looking early. That is why its rate is ${laptopSite.ratePerSecond}: docs/decisions/0005-what-a-minute-can-show.md.

- \`p99-30-percent\` leaves the median where it is: too little of it lies among the slowest 10 %, beyond the slowdown that does not matter.
  A tail alone, with the median as it was, is a known blind spot until it breaks the SLO's own p99.
- \`slower-10-percent\` is not seen on purpose: \`slowdown\` and \`ratio\` say what matters.
- \`flips-2-percent\` is seen where a release is not meant to change that much. \`environments/local.yaml\` allows 5 %, for magika 3.3.0 is meant
  to answer one of its 46 golden cases otherwise than 3.2.0.
`;
}
