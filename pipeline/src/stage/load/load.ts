import { judgeLoad } from "../../decide/load.ts";
import { DeployError } from "../../spec/error.ts";
import type { LoadFacts } from "../../spec/load.ts";
import type { LoadProfile, Slo } from "../../spec/policy.ts";
import type { Report } from "../../spec/report.ts";
import { driveApart } from "./apart.ts";
import { constant } from "./arrival.ts";
import type { Plan } from "./driver.ts";
import { reportLoad } from "./report.ts";
import type { LoadRequest } from "./request.ts";
import type { Tally } from "./tally.ts";

/** A running candidate and what to send it. `subject` names it in the report; `key` needs the scope `predict`. */
export interface LoadInput {
  url: string;
  key: string;
  subject: string;
  requests: LoadRequest[];
  profile: LoadProfile;
  slo: Slo;
}

const shownQuantiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/** Drives the candidate as the profile says, and holds what was measured against its objectives. */
export function load(input: LoadInput): Promise<Report> {
  const { profile, slo, subject } = input;
  return reportLoad(subject, slo, async () => {
    const [tally] = await driveApart(planOf(input));
    if (tally === undefined) throw new DeployError("E_TOOL", "Cannot drive load: no tally came back");
    const facts = factsOf(tally, profile.seconds, slo);
    return { facts, checks: judgeLoad(facts, slo, profile) };
  });
}

function planOf({ url, key, requests, profile }: LoadInput): Plan {
  const { ratePerSecond, warmupSeconds, seconds, maxInFlight, timeoutMs } = profile;
  const warmup = warmupSeconds > 0 ? [constant(ratePerSecond, warmupSeconds, false)] : [];
  const phases = [...warmup, constant(ratePerSecond, seconds)];
  return { targets: [{ url, key }], requests, phases, maxInFlight, timeoutMs };
}

/** Turns counts into facts; quantiles that cannot be told (nothing was answered) are left out. */
function factsOf(tally: Tally, seconds: number, slo: Slo): LoadFacts {
  const wanted = [...shownQuantiles, ...slo.latency.map((limit) => limit.quantile)];
  const quantiles = [...new Set(wanted)].sort((a, b) => a - b);
  const answered = tally.service.count;
  const at = (durations: Tally["response"]) =>
    answered === 0 ? [] : quantiles.map((quantile) => ({ quantile, ms: durations.at(quantile) }));
  return {
    driver: "sluice",
    seconds,
    planned: tally.planned,
    dropped: tally.dropped,
    requests: tally.requests,
    errors: tally.errors,
    errorKinds: { ...tally.errorKinds },
    ratePerSecond: tally.requests / seconds,
    lagP99Ms: tally.requests === 0 ? 0 : tally.lag.at(0.99),
    response: at(tally.response),
    service: at(tally.service),
    distribution: tally.response.toLatency(),
  };
}
