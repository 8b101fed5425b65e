import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { demandBudget } from "../../pipeline/src/cli/error-budget.ts";
import { readPolicies } from "../../pipeline/src/release/policies.ts";
import { root } from "../support/cli.ts";
import { serve, type TinyServer } from "../support/server.ts";

const started: TinyServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

/** A Prometheus that has seen so many requests and errors of every model. */
function prometheus({ requests, errors }: { requests: number; errors: number }): string {
  const server = serve((request) => {
    const query = new URL(request.url).searchParams.get("query") ?? "";
    const value = query.includes('"5.."') ? errors : requests;
    return Response.json({
      status: "success",
      data: { resultType: "vector", result: [{ value: [0, String(value)] }] },
    });
  });
  started.push(server);
  return server.url;
}

/** Demands the budget of an environment that asks `url`; also what was told. */
async function demand(errorBudget: "block" | "tell", url: string, reason?: string) {
  const policies = await readPolicies(join(root, "policies"), "production");
  const told: string[] = [];
  const progress = { now: () => {}, done: (text: string) => void told.push(text) };
  const admission = { ...policies.admission, errorBudget };
  const environment = { ...policies.environment, prometheus: url };
  const place = { stateDir: "/nowhere" };
  const reading = demandBudget({ policies: { ...policies, admission, environment }, place }, reason, progress);
  return { reading: await reading.catch((error: Error) => error), told: told.join("\n") };
}

const spent = { requests: 1_000, errors: 5 };

describe("demandBudget() of an environment that blocks", () => {
  test("lets a release in while something is left", async () => {
    const { reading } = await demand("block", prometheus({ requests: 10_000, errors: 5 }));
    expect(reading).toMatchObject({ source: "Prometheus", left: 0.5, verdict: { kind: "pass" } });
  });

  test("refuses it when nothing is, and says what comes next", async () => {
    const { reading } = await demand("block", prometheus(spent));
    const words = "5 of 1000 requests failed, 1 may; next: sluice budget, wait, or --override-budget";
    expect(reading).toMatchObject({ code: "E_GATE", message: expect.stringContaining(words) });
  });

  test("lets it in for a reason, and keeps that", async () => {
    const { reading, told } = await demand("block", prometheus(spent), "it is the fix");
    expect(reading).toMatchObject({ verdict: { kind: "pass" }, override: { reason: "it is the fix" } });
    expect(told).toContain("overridden");
  });

  test("refuses it when nobody knows", async () => {
    expect((await demand("block", "http://127.0.0.1:1")).reading).toMatchObject({ code: "E_TOOL" });
  });
});

describe("demandBudget() of an environment that only tells", () => {
  test("tells of a spent budget and goes on", async () => {
    const { reading, told } = await demand("tell", prometheus(spent));
    expect(reading).toMatchObject({ verdict: { kind: "fail" } });
    expect(told).toContain("-400.0 % of the error budget is left");
  });

  test("tells when nobody knows, and goes on", async () => {
    const { reading, told } = await demand("tell", "http://127.0.0.1:1");
    expect(reading).toBeUndefined();
    expect(told).toContain("error budget: not known");
  });
});
