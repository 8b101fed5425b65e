import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Router, Runtime } from "../../../pipeline/src/rollout/ports.ts";
import { openSite } from "../../../pipeline/src/target/local/client.ts";
import { siteDown, siteStatus, siteUp, siteUpgrade } from "../../../pipeline/src/target/local/up.ts";
import { refusalOf } from "../../conformance/refusal.ts";
import { aSite, type TestSite } from "../../support/site.ts";
import { countAnswers, startTraffic } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";

let site: TestSite;
let address: string;
let target: Router & Runtime;

beforeEach(async () => {
  site = await aSite();
  ({ address } = await site.up());
  target = openSite(site.stateDir, { fence: 1 });
});
afterEach(() => site.clear());

async function pidOf(id: string): Promise<number> {
  const revision = (await target.list()).find((one) => one.id === id);
  if (revision === undefined) throw new Error(`No revision ${id}`);
  return revision.pid;
}

/** Waits until revision `id` is ready in another process than `pid`. */
function back(id: string, pid: number) {
  return until(`revision ${id} to be back`, async () =>
    (await target.list()).find((one) => one.id === id && one.state === "ready" && one.pid !== pid),
  );
}

/** Two revisions with half of the traffic each; `one` is stable. */
async function twoArms(): Promise<void> {
  await target.start("one", await site.stage("release-1"));
  await target.start("two", await site.stage("release-2"));
  await target.writeStable("one");
  await target.writeWeights({ one: 50, two: 50 });
}

describe("a revision", () => {
  test("that is killed is started again, and no client sees a failed request", async () => {
    await twoArms();
    const pid = await pidOf("two");
    const traffic = startTraffic(address, () => ({
      method: "POST",
      body: "x",
      headers: { "idempotency-key": crypto.randomUUID() },
    }));
    await traffic.more(50);
    process.kill(pid, "SIGKILL");
    const { port } = (await target.list()).find(({ id }) => id === "two") ?? {};
    expect(await back("two", pid)).toMatchObject({ restarts: 1, port });
    await traffic.more(50);
    expect((await traffic.end()).failed).toEqual([]);
    expect((await countAnswers(address, 100)).get("two")).toBeGreaterThan(0);
  });

  test("that is killed while it is the only one: requests wait until it is back", async () => {
    await target.start("one", await site.stage("release-1"));
    await target.writeWeights({ one: 100 });
    const pid = await pidOf("one");
    const traffic = startTraffic(address);
    await traffic.more(20);
    process.kill(pid, "SIGKILL");
    await back("one", pid);
    await traffic.more(20);
    expect((await traffic.end()).failed).toEqual([]);
  });

  test("that ends at its start is refused with its last words", async () => {
    const error = await refusalOf(target.start("one", await site.stage("bad", { crashAtStart: 3 })), "E_STATE");
    expect(error.message).toContain("exit code 3");
    expect(error.message).toContain("this is the last line");
    expect(await target.list()).toEqual([]);
  });

  test("that does not hear SIGTERM is killed", async () => {
    await target.start("one", await site.stage("deaf", { deaf: true }));
    const pid = await pidOf("one");
    await target.stop("one", { drainSeconds: 0 });
    expect(() => process.kill(pid, 0)).toThrow();
  });

  test("that is stopped while it starts does not become a process without a revision", async () => {
    const start = target.start("one", await site.stage("slow", { neverReady: true })).catch((error: unknown) => error);
    const pid = await until("the process to be there", async () => (await pidOf("one").catch(() => 0)) || undefined);
    await target.stop("one", { drainSeconds: 0 });
    expect(String(await start)).toContain("Cannot start revision one");
    expect(() => process.kill(pid, 0)).toThrow();
    expect(await target.list()).toEqual([]);
  });

  test("finishes what is under way before it ends", async () => {
    await twoArms();
    const slow = fetch(`${address}/?delayMs=400`, { headers: { "x-sluice-arm": "two" } });
    await until("the request to arrive", async () => {
      const other = await fetch(address, { headers: { "x-sluice-arm": "two" } });
      return (await other.json()).underWay > 1 ? true : undefined;
    });
    await target.writeWeights({ one: 100 });
    await target.stop("two", { drainSeconds: 10 });
    const answer = await slow;
    expect(answer.status).toBe(200);
    expect((await answer.json()).revision).toBe("two");
  });

  test("that hangs is left out", async () => {
    await twoArms();
    const pid = await pidOf("two");
    process.kill(pid, "SIGSTOP");
    await until(
      "it to be left out",
      async () => (await target.list()).some(({ id, state }) => id === "two" && state === "failed") || undefined,
    );
    expect((await countAnswers(address, 40)).get("one")).toBe(40);
    process.kill(pid, "SIGCONT");
    await until("it to be back", async () => (await countAnswers(address, 40)).has("two") || undefined);
  }, 30_000);

  test("sees nothing of the site's environment but what it needs", async () => {
    process.env.SLUICE_TEST_SECRET = "secret";
    const other = await aSite();
    try {
      await other.up();
      const { pid } = await openSite(other.stateDir).start("one", await other.stage("release-1"));
      const environment = await readFile(`/proc/${pid}/environ`, "utf8");
      expect(environment).toContain("SLUICE_REVISION=one");
      expect(environment).not.toContain("SLUICE_TEST_SECRET");
    } finally {
      delete process.env.SLUICE_TEST_SECRET;
      await other.clear();
    }
  });
});

describe("weights", () => {
  test("change under load without a failed request", async () => {
    await twoArms();
    const traffic = startTraffic(address, () => ({ method: "POST", body: "x" }));
    for (let change = 0; change < 40; change += 1) {
      await target.writeWeights({ one: change % 101, two: 100 - (change % 101) });
      await traffic.more(20);
    }
    await target.writeWeights({ one: 100 });
    await target.stop("two", { drainSeconds: 5 });
    await traffic.more(20);
    const { sent, failed } = await traffic.end();
    expect(failed).toEqual([]);
    expect(sent).toBeGreaterThan(800);
  });

  test("go back to stable even while it is being brought back", async () => {
    await twoArms();
    const pid = await pidOf("one");
    process.kill(pid, "SIGKILL");
    await target.writeWeights({ one: 100 });
    expect((await countAnswers(address, 20)).get("one")).toBe(20);
  });

  test("wait for another revision that is being brought back", async () => {
    await twoArms();
    const pid = await pidOf("two");
    process.kill(pid, "SIGKILL");
    await until("the site to see it", async () => (await pidOf("two")) !== pid || undefined);
    await target.writeWeights({ two: 100 });
    expect((await countAnswers(address, 20)).get("two")).toBe(20);
  });
});

describe("a killed site", () => {
  test("comes back with its port, weights, stable, samples and the same processes", async () => {
    await twoArms();
    await countAnswers(address, 50);
    const before = await site.up();
    const samples = await target.readSamples();
    process.kill(before.pid, "SIGKILL");
    await until("the site to be gone", async () =>
      (await siteStatus(site.stateDir)) === undefined ? true : undefined,
    );
    const after = await site.up();
    expect(after).toEqual({ ...before, pid: after.pid });
    expect(after.pid).not.toBe(before.pid);
    expect(await target.readSamples()).toEqual(samples);
    expect((await countAnswers(address, 40)).size).toBe(2);
  });

  test("starts revisions again that died with it", async () => {
    await twoArms();
    const before = await site.up();
    for (const pid of [before.pid, ...before.revisions.map((revision) => revision.pid)]) process.kill(pid, "SIGKILL");
    await until("the site to be gone", async () =>
      (await siteStatus(site.stateDir)) === undefined ? true : undefined,
    );
    await site.up();
    for (const { id, pid } of before.revisions) await back(id, pid);
    expect((await countAnswers(address, 40)).size).toBe(2);
  });

  test("watches over the processes that it found: one that dies is started again", async () => {
    await twoArms();
    const before = await site.up();
    process.kill(before.pid, "SIGKILL");
    await until("the site to be gone", async () =>
      (await siteStatus(site.stateDir)) === undefined ? true : undefined,
    );
    await site.up();
    const pid = await pidOf("two");
    process.kill(pid, "SIGKILL");
    await back("two", pid);
  });
});

/** Processes that are, or try to become, the site of `stateDir`. */
async function sitesOf(stateDir: string): Promise<number[]> {
  const found = await Promise.all(
    (await readdir("/proc")).map(async (name) => {
      const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
      return command.includes(`main.ts\0--state\0${stateDir}\0`) ? [Number(name)] : [];
    }),
  );
  return found.flat();
}

describe("siteUp()", () => {
  test("finds the running site", async () => {
    expect((await site.up()).pid).toBe((await site.up()).pid);
  });

  test("called twice at once starts one site", async () => {
    await siteDown(site.stateDir);
    const [one, two] = await Promise.all([site.up(), site.up()]);
    expect(one.pid).toBe(two.pid);
    await until("the other process to be gone", async () => (await sitesOf(site.stateDir)).length === 1 || undefined);
    expect(await sitesOf(site.stateDir)).toEqual([one.pid]);
  });

  test("refuses another port than the running site's", async () => {
    const other = { stateDir: site.stateDir, host: "127.0.0.1", port: 1, workers: 1 };
    expect((await refusalOf(siteUp(other), "E_STATE")).message).toContain("sluice site down");
  });

  test("says why a port cannot be had", async () => {
    const other = await aSite();
    const taken = Number(new URL(address).port);
    const wanted = { stateDir: other.stateDir, host: "127.0.0.1", port: taken, workers: 1 };
    const error = await refusalOf(siteUp(wanted), "E_STATE");
    expect(error.message).toContain(`127.0.0.1:${taken}`);
    await other.clear();
  });
});

describe("siteDown()", () => {
  test("ends the site and its revisions; siteUp() brings them back", async () => {
    await twoArms();
    const before = await site.up();
    expect(await siteDown(site.stateDir)).toBe(true);
    expect(await siteDown(site.stateDir)).toBe(false);
    for (const { pid } of before.revisions) expect(() => process.kill(pid, 0)).toThrow();
    const after = await site.up();
    expect(after.weights).toEqual(before.weights);
    expect(after.stable).toBe("one");
    expect((await countAnswers(address, 40)).size).toBe(2);
  });
});

describe("SIGTERM", () => {
  test("ends the site after what is under way, and leaves its revisions to the next one", async () => {
    await twoArms();
    const before = await site.up();
    const slow = fetch(`${address}/?delayMs=300`, { headers: { "x-sluice-arm": "one" } });
    await until("the request to arrive", async () => {
      const other = await fetch(address, { headers: { "x-sluice-arm": "one" } });
      return (await other.json()).underWay > 1 ? true : undefined;
    });
    process.kill(before.pid, "SIGTERM");
    expect((await slow).status).toBe(200);
    await until("the site to be gone", async () =>
      (await siteStatus(site.stateDir)) === undefined ? true : undefined,
    );
    const after = await site.up();
    expect(after.revisions).toEqual(before.revisions);
  });
});

describe("siteUpgrade()", () => {
  test("puts a new process in the old one's place, and no client notices", async () => {
    await twoArms();
    const before = await site.up();
    const counted = await countAnswers(address, 50);
    const traffic = startTraffic(address, () => ({ method: "POST", body: "x" }));
    await traffic.more(50);
    const after = await siteUpgrade(site.stateDir);
    await traffic.more(50);
    expect((await traffic.end()).failed).toEqual([]);
    expect(after).toEqual({ ...before, pid: after.pid });
    expect(after.pid).not.toBe(before.pid);
    expect((await target.readSamples()).one?.requests).toBeGreaterThan(counted.get("one") ?? 0);
    const pid = await pidOf("two");
    process.kill(pid, "SIGKILL");
    await back("two", pid);
  });

  test("goes on with the old one when the new one does not come up", async () => {
    await twoArms();
    const before = await site.up();
    const script = join(site.stateDir, "broken.ts");
    await writeFile(script, 'throw new Error("cannot work")');
    const socket = join(site.stateDir, "site", "admin.sock");
    const answer = await fetch("http://site/v1/replace", {
      unix: socket,
      method: "POST",
      body: JSON.stringify({ script }),
    });
    expect(await answer.json()).toMatchObject({ code: "E_STATE", detail: expect.stringContaining("cannot work") });
    expect(await site.up()).toEqual(before);
    await target.writeWeights({ one: 100 });
    const pid = await pidOf("two");
    process.kill(pid, "SIGKILL");
    await back("two", pid);
  });

  test("says what to do when no site runs", async () => {
    await siteDown(site.stateDir);
    expect((await refusalOf(siteUpgrade(site.stateDir), "E_STATE")).message).toContain("sluice site up");
  });
});

describe("the admin API", () => {
  test("refuses a holder that was overtaken", async () => {
    await twoArms();
    const newer = openSite(site.stateDir, { fence: 7 });
    await newer.writeWeights({ one: 100 });
    const error = await refusalOf(target.writeWeights({ two: 100 }), "E_LEASE");
    expect(error.message).toContain("fence is 1, a later holder wrote with 7");
    await refusalOf(target.stop("two", { drainSeconds: 0 }), "E_LEASE");
    await refusalOf(target.writeStable("two"), "E_LEASE");
    await refusalOf(target.start("three", await site.stage("release-3")), "E_LEASE");
    expect(await newer.readWeights()).toEqual({ one: 100 });
  });

  test("remembers the newest fence when it is killed", async () => {
    await target.start("one", await site.stage("release-1"));
    await openSite(site.stateDir, { fence: 7 }).writeStable("one");
    process.kill((await site.up()).pid, "SIGKILL");
    await until("the site to be gone", async () =>
      (await siteStatus(site.stateDir)) === undefined ? true : undefined,
    );
    await site.up();
    await refusalOf(target.writeStable("one"), "E_LEASE");
  });

  test("is open to the site's user only", async () => {
    const { mode } = await stat(join(site.stateDir, "site", "admin.sock"));
    expect(mode & 0o777).toBe(0o600);
  });

  test.each([
    ["an unknown key", "PUT", "/v1/weights", '{"fence":1,"weights":{},"more":1}'],
    ["weights that do not sum to 100", "PUT", "/v1/weights", '{"fence":1,"weights":{"one":90}}'],
    ["no body", "PUT", "/v1/stable", ""],
    [
      "an id that is a path",
      "PUT",
      "/v1/revisions/..%2Fx",
      '{"fence":1,"releaseId":"r","releaseDir":"/r","readySeconds":1}',
    ],
    ["an unknown call", "PUT", "/v1/nothing", "{}"],
  ])("refuses %s", async (_, method, path, body) => {
    const socket = join(site.stateDir, "site", "admin.sock");
    const answer = await fetch(`http://site${path}`, { unix: socket, method, body });
    expect(answer.status).toBe(400);
    expect(Object.keys(await answer.json()).sort()).toEqual(["code", "detail"]);
  });
});

test("openSite() says what to do when no site runs", async () => {
  await siteDown(site.stateDir);
  expect((await refusalOf(target.list(), "E_TOOL")).message).toContain("sluice site up");
});
