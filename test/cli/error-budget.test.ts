import { afterEach, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { demandBudget } from "../../pipeline/src/cli/error-budget.ts";
import { readPolicies } from "../../pipeline/src/release/policies.ts";
import { haproxyPaths } from "../../pipeline/src/target/haproxy/up.ts";
import { addCounter } from "../../pipeline/src/target/local/history.ts";
import { root } from "../support/cli.ts";
import { knowing } from "../support/counts.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { TinyServer } from "../support/server.ts";

const started: TinyServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

function prometheus(counts: { requests: number; errors: number }): string {
  const server = knowing(counts);
  started.push(server);
  return server.url;
}

type Asked = { reason?: string; name?: string; stateDir?: string };

/** Demands the budget of an environment that asks `url`, or of its target where there is none; also what was told. */
async function demand(
  errorBudget: "block" | "tell",
  url: string | undefined,
  { reason, name = "production", stateDir = "/nowhere" }: Asked = {},
) {
  const policies = await readPolicies(join(root, "policies"), name);
  const told: string[] = [];
  const progress = { now: () => {}, done: (text: string) => void told.push(text) };
  const admission = { ...policies.admission, errorBudget };
  const { prometheus: _, ...bare } = policies.environment;
  const environment = url === undefined ? bare : { ...bare, prometheus: url };
  const place = { stateDir };
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
    const { reading, told } = await demand("block", prometheus(spent), { reason: "it is the fix" });
    expect(reading).toMatchObject({ verdict: { kind: "pass" }, override: { reason: "it is the fix" } });
    expect(told).toContain("overridden");
  });

  test("refuses it when nobody knows", async () => {
    expect((await demand("block", "http://127.0.0.1:1")).reading).toMatchObject({ code: "E_TOOL" });
  });
});

describe.each(["local", "haproxy", "docker", "production"])("demandBudget() of target %s that blocks", (name) => {
  test("refuses a release when Prometheus knows a spent budget", async () => {
    const { reading } = await demand("block", prometheus(spent), { name });
    expect(reading).toMatchObject({ code: "E_GATE", message: expect.stringContaining("5 of 1000 requests failed") });
  });
});

describe.each(["haproxy", "docker"])("demandBudget() of target %s without Prometheus", (name) => {
  const met = async (stateDir: string, counted: { requests: number; errors: number }) => {
    const folder = join(stateDir, "haproxy");
    await mkdir(folder);
    addCounter(haproxyPaths(folder).history, { generation: "1@1", ...counted }, Date.now());
  };

  test("refuses a release when HAProxy's history has a spent budget", async () => {
    await using folder = await temporaryFolder();
    await met(folder.path, spent);
    const { reading } = await demand("block", undefined, { name, stateDir: folder.path });
    expect(reading).toMatchObject({ code: "E_GATE", message: expect.stringContaining("5 of 1000 requests failed") });
  });

  test("lets it in while something is left", async () => {
    await using folder = await temporaryFolder();
    await met(folder.path, { requests: 10_000, errors: 5 });
    const { reading } = await demand("block", undefined, { name, stateDir: folder.path });
    expect(reading).toMatchObject({ source: "HAProxy's history", left: 0.5, verdict: { kind: "pass" } });
  });
});

test("demandBudget() of servers that run elsewhere refuses where no Prometheus is named", async () => {
  const { reading } = await demand("block", undefined);
  expect(reading).toMatchObject({ code: "E_TOOL", message: expect.stringContaining("next: name a prometheus") });
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
