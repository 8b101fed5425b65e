import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type CapacityPoint, nextCapacity, secondsAt } from "../../pipeline/src/decide/capacity.ts";
import { samplesNeeded } from "../../pipeline/src/decide/load.ts";
import { type CapacityProfile, LoadPolicy, SloPolicy } from "../../pipeline/src/spec/policy.ts";
import { readYaml } from "../../pipeline/src/spec/read.ts";
import type { Verdict } from "../../pipeline/src/spec/verdict.ts";

const profile: CapacityProfile = {
  fromPerSecond: 20,
  toPerSecond: 1000,
  growth: 1.5,
  resolution: 0.1,
  warmupSeconds: 1,
  seconds: 5,
  maxInFlight: 64,
  timeoutMs: 1000,
  maxLagMs: 20,
  processes: 1,
};

/** Searches a service whose verdict at a rate is `judge`. */
function search(judge: (rate: number) => Verdict) {
  const points: CapacityPoint[] = [];
  for (;;) {
    const step = nextCapacity(points, profile);
    if (step.kind === "end") return { ...step, rates: points.map((point) => point.ratePerSecond) };
    points.push({ ratePerSecond: step.ratePerSecond, verdict: judge(step.ratePerSecond) });
    if (points.length > 50) throw new Error("the search does not end");
  }
}

const pass: Verdict = { kind: "pass" };
const fail: Verdict = { kind: "fail", breaches: ["slow"] };
const error: Verdict = { kind: "error", reason: "driver" };

describe("nextCapacity()", () => {
  test.each([21, 137, 300, 999])("finds a knee at %d/s within its resolution", (knee) => {
    const found = search((rate) => (rate <= knee ? pass : fail));
    expect(found.verdict).toEqual(pass);
    expect(found.best).toBeLessThanOrEqual(knee);
    expect(found.best).toBeGreaterThanOrEqual(knee * 0.88);
    expect(found.rates.length).toBeLessThan(16);
  });

  test("ends at the highest rate when nothing breaks", () => {
    expect(search(() => pass)).toMatchObject({ best: 1000, verdict: pass });
  });

  test("fails when even the lowest rate is too much", () => {
    expect(search(() => fail)).toMatchObject({ best: 0, verdict: fail, rates: [20] });
  });

  test("is an error when the driver broke before the service did, and still tells the best rate", () => {
    const found = search((rate) => (rate <= 100 ? pass : error));
    expect(found.verdict).toEqual(error);
    expect(found.best).toBeGreaterThan(80);
  });

  test("is an error when nothing could be measured", () => {
    expect(search(() => error)).toMatchObject({ best: 0, verdict: error });
  });
});

test("secondsAt() gives a slow run the time that its objectives need", () => {
  const slo = { maxErrorRate: 0.01, latency: [{ quantile: 0.99, maxMs: 100 }] };
  expect([10, 20, 59.8, 60, 1000].map((rate) => secondsAt(rate, profile, slo))).toEqual([30, 15, 5, 5, 5]);
});

test("the shipped search can judge its first rate", async () => {
  const policies = join(import.meta.dir, "../../policies");
  const { capacity } = await readYaml(join(policies, "load.yaml"), LoadPolicy);
  const { models } = await readYaml(join(policies, "slo.yaml"), SloPolicy);
  if (capacity === undefined) throw new Error("Cannot test: load.yaml has no capacity");
  for (const slo of Object.values(models)) {
    const samples = capacity.fromPerSecond * secondsAt(capacity.fromPerSecond, capacity, slo);
    for (const { quantile } of slo.latency) expect(samples).toBeGreaterThanOrEqual(samplesNeeded(quantile));
  }
});
