import { expect, test } from "bun:test";
import { fileStore } from "../../pipeline/src/rollout/file-store.ts";
import type { Store } from "../../pipeline/src/rollout/ports.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { Command } from "../../pipeline/src/spec/journal.ts";
import { VirtualClock } from "../support/clock.ts";
import { FakeTarget } from "../support/fake-target.ts";
import { temporaryFolder } from "../support/folder.ts";
import { aStrategy } from "../support/policies.ts";
import { randomFrom } from "../support/random.ts";
import { arms, opened, rollout, runRollout, serving } from "../support/rollout.ts";

/** Draws that repeat, so that a test's traffic is the same at each run. */
const draws = () => randomFrom(42);

const healthy = (target: FakeTarget) => void target.send(100);

function failing(target: FakeTarget): void {
  const canary = target.send(100).get(arms.canary) ?? 0;
  target.serve(arms.canary, { errors: Math.round(canary / 2) });
}

async function onlyServes(target: FakeTarget, id: string): Promise<void> {
  expect(await target.readWeights()).toEqual({ [id]: 100 });
  expect(await target.readStable()).toBe(id);
  expect((await target.list()).map((revision) => revision.id)).toEqual([id]);
}

test("run() promotes a healthy canary and leaves only it", async () => {
  await using folder = await temporaryFolder();
  const target = await serving(new FakeTarget({ onRead: healthy, random: draws() }));
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock() });
  expect(state.closed?.result).toBe("promoted");
  await onlyServes(target, arms.canary);
});

test("run() aborts a failing canary and leaves only stable", async () => {
  await using folder = await temporaryFolder();
  const target = await serving(new FakeTarget({ onRead: failing, random: draws() }));
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock() });
  expect(state.closed).toMatchObject({ result: "aborted", reason: expect.stringContaining("errors in") });
  expect(state.passed.size).toBe(0);
  await onlyServes(target, arms.stable);
});

test("run() aborts a canary that never becomes ready before it has any weight", async () => {
  await using folder = await temporaryFolder();
  const failStart = (id: string) => (id === arms.canary ? "it ended with code 3" : undefined);
  const target = await serving(new FakeTarget({ onRead: healthy, failStart, random: draws() }));
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock() });
  expect(state.closed).toMatchObject({ result: "aborted", reason: expect.stringContaining("it ended with code 3") });
  expect(state.step).toBe(-1);
  await onlyServes(target, arms.stable);
});

test("run() aborts a canary whose golden answers differ before it has any weight", async () => {
  await using folder = await temporaryFolder();
  const target = await serving(new FakeTarget({ onRead: healthy, random: draws() }));
  const replayGolden = () => Promise.reject(new DeployError("E_GATE", "golden case pdf: label is html"));
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock(), replayGolden });
  expect(state.closed).toMatchObject({ result: "aborted", reason: "golden case pdf: label is html" });
  expect(state.step).toBe(-1);
  await onlyServes(target, arms.stable);
});

test("run() aborts a canary whose answers differ from stable's more often than the policy allows", async () => {
  await using folder = await temporaryFolder();
  const target = await serving(new FakeTarget({ onRead: healthy, random: draws() }));
  const compareAnswers = async (_: unknown, count: number) => ({ compared: count, changed: count });
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock(), compareAnswers });
  expect(state.closed).toMatchObject({ result: "aborted", reason: expect.stringContaining("answers differ") });
  await onlyServes(target, arms.stable);
});

test("run() pauses without traffic and says how many requests are missing; resume begins the step anew", async () => {
  await using folder = await temporaryFolder();
  const clock = new VirtualClock();
  let traffic = false;
  const onRead = (target: FakeTarget) => void (traffic && target.send(100));
  const target = await serving(new FakeTarget({ onRead, random: draws() }));
  const paused = await runRollout({ target, folder: folder.path, clock });
  expect(paused.closed).toBeUndefined();
  expect(paused.paused).toContain("policy needs 50 (50 more)");
  traffic = true;
  const store = fileStore(folder.path, clock);
  await store.pushCommand({ command: "resume", by: "ops", reason: "traffic is back" });
  const state = await runRollout({ target, folder: folder.path, clock });
  expect(state.closed?.result).toBe("promoted");
});

test("run() waits for approval of a step that demands it", async () => {
  await using folder = await temporaryFolder();
  const clock = new VirtualClock();
  const [first, second] = aStrategy().steps;
  if (first === undefined || second === undefined) throw new Error("no steps");
  const strategy = aStrategy({ steps: [first, { ...second, approval: true }] });
  const target = await serving(new FakeTarget({ onRead: healthy, random: draws() }));
  const waiting = await runRollout({ target, folder: folder.path, clock, strategy });
  expect(waiting.paused).toBe("Step 2 (weight 50) waits for approval");
  expect(await target.readWeights()).toMatchObject({ [arms.canary]: 20 });
  await fileStore(folder.path, clock).pushCommand({ command: "approve", by: "ops", reason: "ok" });
  const state = await runRollout({ target, folder: folder.path, clock });
  expect(state.closed?.result).toBe("promoted");
});

test.each([
  ["abort", "aborted", arms.stable],
  ["promote", "promoted", arms.canary],
] as const)("run() takes %s from an operator in the middle of a step", async (command, result, left) => {
  await using folder = await temporaryFolder();
  const clock = new VirtualClock();
  const order: Command = { command, by: "ops", reason: "because" };
  const start = clock.now();
  let given = false;
  /** The order lies there from the third second on. */
  const wrap = (store: Store): Store => ({
    ...store,
    readCommands: async () => (clock.now() > start + 2_000 && !given ? [{ id: "1", command: order }] : []),
    forgetCommand: async () => {
      given = true;
    },
  });
  const target = await serving(new FakeTarget({ onRead: healthy, random: draws() }));
  const state = await runRollout({ target, folder: folder.path, clock, wrap });
  expect(state.closed).toMatchObject({ result, reason: expect.stringContaining("ops: because") });
  expect(state.passed.size).toBe(0);
  await onlyServes(target, left);
});

test("run() leaves the rollout open when the target cannot be reached, and the next run ends it", async () => {
  await using folder = await temporaryFolder();
  const clock = new VirtualClock();
  let broken = true;
  const onCall = (name: string) => {
    if (broken && name === "readSamples") throw new DeployError("E_TOOL", "no site listens");
  };
  const target = await serving(new FakeTarget({ onRead: healthy, onCall, random: draws() }));
  await expect(runRollout({ target, folder: folder.path, clock })).rejects.toMatchObject({ code: "E_TOOL" });
  broken = false;
  const state = await runRollout({ target, folder: folder.path, clock });
  expect(state.closed?.result).toBe("promoted");
});

test("run() goes on while an arm is being brought back: nothing is compared meanwhile", async () => {
  await using folder = await temporaryFolder();
  let looks = 0;
  const onCall = (name: string) => {
    if (name === "readSamples") looks += 1;
    if (name === "addressOf" && looks === 3) throw new DeployError("E_STATE", "it is starting, expected ready");
  };
  const target = await serving(new FakeTarget({ onRead: healthy, onCall, random: draws() }));
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock() });
  expect(looks).toBeGreaterThan(3);
  expect(state.closed?.result).toBe("promoted");
});

class Killed extends Error {}

/** Dies right before or right after the `count`th append: what SIGKILL between two lines leaves behind. */
function killedAt(count: number, moment: "before" | "after"): (store: Store) => Store {
  let appended = 0;
  return (store) => ({
    ...store,
    append: async (...args) => {
      appended += 1;
      if (appended === count && moment === "before") throw new Killed();
      const entry = await store.append(...args);
      if (appended === count && moment === "after") throw new Killed();
      return entry;
    },
  });
}

for (const [name, traffic, result, left] of [
  ["healthy", healthy, "promoted", arms.canary],
  ["failing", failing, "aborted", arms.stable],
] as const) {
  test(`run() converges after a kill before and after every journal entry of a ${name} canary`, async () => {
    let kills = 0;
    for (let count = 1; ; count++) {
      const died = [];
      for (const moment of ["before", "after"] as const) {
        await using folder = await temporaryFolder();
        const clock = new VirtualClock();
        const target = await serving(new FakeTarget({ onRead: traffic, random: draws() }));
        const first = runRollout({ target, folder: folder.path, clock, wrap: killedAt(count, moment) });
        died.push(await first.then(() => false, isKill));
        const weights = Object.values(await target.readWeights());
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(100);
        const state = await runRollout({ target, folder: folder.path, clock });
        expect(state.closed?.result).toBe(result);
        await onlyServes(target, left);
        kills += 1;
      }
      if (died.every((dead) => !dead)) break;
    }
    expect(kills).toBeGreaterThan(30);
  });
}

function isKill(error: unknown): boolean {
  if (error instanceof Killed) return true;
  throw error;
}

test("run() keeps to the strategy that the rollout was opened with", async () => {
  await using folder = await temporaryFolder();
  const clock = new VirtualClock();
  const store = fileStore(folder.path, clock);
  const lease = await store.acquire("first@elsewhere:1");
  const [only] = aStrategy().steps;
  if (only === undefined) throw new Error("no steps");
  await store.append(rollout, lease, opened(aStrategy({ steps: [only] })));
  await store.release(lease);
  const target = await serving(new FakeTarget({ onRead: healthy, random: draws() }));
  const state = await runRollout({ target, folder: folder.path, clock, strategy: aStrategy() });
  expect([...state.passed]).toEqual([0]);
});

test("run() aborts a rollout that takes longer than its deadline", async () => {
  await using folder = await temporaryFolder();
  const target = await serving(new FakeTarget({ random: draws() }));
  const strategy = aStrategy({ deadlineSeconds: 10 });
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock(), strategy });
  expect(state.closed).toEqual({
    result: "aborted",
    reason: "Aborted by the deadline: not promoted within 10 s",
  });
  await onlyServes(target, arms.stable);
});

test("run() switches blue to green at once, holds, and promotes; stable takes over again when green fails", async () => {
  for (const [traffic, result, left] of [
    [healthy, "promoted", arms.canary],
    [failing, "aborted", arms.stable],
  ] as const) {
    await using folder = await temporaryFolder();
    const weights: unknown[] = [];
    const onRead = (it: FakeTarget) => {
      traffic(it);
      void it.readWeights().then((found) => weights.push(found));
    };
    const target = await serving(new FakeTarget({ onRead, random: draws() }));
    const step = { weight: 100, seconds: 5, maxSeconds: 20, minRequests: 50, approval: false };
    const strategy = aStrategy({ steps: [step] });
    const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock(), strategy });
    expect(state.closed?.result).toBe(result);
    expect(weights[0]).toEqual({ [arms.canary]: 100 });
    await onlyServes(target, left);
  }
});

test("run() does not promote a canary when stable's release could not be returned to", async () => {
  await using folder = await temporaryFolder();
  const target = await serving(new FakeTarget({ onRead: healthy, random: draws() }));
  const proveReturn = () => Promise.reject(new DeployError("E_STATE", "its folder does not exist"));
  const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock(), proveReturn });
  expect(state.closed).toEqual({ result: "aborted", reason: "its folder does not exist" });
  await onlyServes(target, arms.stable);
});
