import { expect, test } from "bun:test";
import type { Router, Runtime } from "../../pipeline/src/rollout/ports.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import { VirtualClock } from "../support/clock.ts";
import { FakeTarget } from "../support/fake-target.ts";
import { temporaryFolder } from "../support/folder.ts";
import { aStrategy } from "../support/policies.ts";
import { randomFrom } from "../support/random.ts";
import { arms, opened, runRollout, serving } from "../support/rollout.ts";

const hour = 3_600_000;

/** A healthy target whose third look comes after the clock was set by `jumpMs`. */
async function jumping(clock: VirtualClock, jumpMs: number): Promise<Router & Runtime> {
  let reads = 0;
  const onRead = (target: FakeTarget) => {
    reads += 1;
    if (reads === 3) clock.advance(jumpMs);
    target.send(200);
  };
  return serving(new FakeTarget({ onRead, random: randomFrom(1) }));
}

test.each([
  ["forward by an hour", hour],
  ["back by an hour", -hour],
])("run() takes a step's time from its looks when the clock jumps %s", async (_, jumpMs) => {
  await using folder = await temporaryFolder();
  const clock = new VirtualClock();
  const target = await jumping(clock, jumpMs);
  const strategy = aStrategy({ deadlineSeconds: 7_200 });
  const state = await runRollout({ target, folder: folder.path, clock, strategy });
  expect(state.closed?.result).toBe("promoted");
  // Each step has one look before its traffic, and one a second after it: the clock alone ended neither.
  const inStep = [0, 1].map((step) => state.looks.filter((look) => look.step === step).length);
  expect(inStep[0]).toBe(jumpMs > 0 ? 4 : 7);
  expect(inStep[1]).toBe(6);
});

test("run() takes a canary back when the clock jumps past the deadline", async () => {
  await using folder = await temporaryFolder();
  const clock = new VirtualClock();
  const target = await jumping(clock, 2 * hour);
  const state = await runRollout({ target, folder: folder.path, clock });
  expect(state.closed).toMatchObject({ result: "aborted", reason: expect.stringContaining("deadline") });
  expect(await target.readWeights()).toEqual({ [arms.stable]: 100 });
});

test.each(["stable", "candidate"] as const)(
  "run() takes a canary back when the release of %s was removed from disk in mid-rollout",
  async (which) => {
    await using folder = await temporaryFolder();
    const onRead = (it: FakeTarget) => void it.send(200);
    const target = await serving(new FakeTarget({ onRead, random: randomFrom(1) }));
    const removed = opened()[which].id;
    const proveReturn = async (release: { id: string }) => {
      if (release.id === removed) throw new DeployError("E_STATE", `Cannot use ${removed}: its folder does not exist`);
    };
    const state = await runRollout({ target, folder: folder.path, clock: new VirtualClock(), proveReturn });
    expect(state.closed).toEqual({ result: "aborted", reason: `Cannot use ${removed}: its folder does not exist` });
    expect(await target.readStable()).toBe(arms.stable);
    expect((await target.list()).map(({ id }) => id)).toEqual([arms.stable]);
  },
);
