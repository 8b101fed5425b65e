import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openSite } from "../../../pipeline/src/target/local/client.ts";
import { addCounter, History, readHistory } from "../../../pipeline/src/target/local/history.ts";
import { sitePaths } from "../../../pipeline/src/target/local/paths.ts";
import { siteDown, siteStatus, siteUpgrade } from "../../../pipeline/src/target/local/up.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { aSite, type TestSite } from "../../support/site.ts";
import { until } from "../../support/until.ts";

const hour = 3_600_000;

test("History adds up answers by the hour, and tells those of the last days", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "history.db");
  expect(readHistory(path, { days: 30, now: 0 })).toEqual({ requests: 0, errors: 0 });
  const began = 1_000 * 24 * hour;
  const history = new History(path);
  for (const status of [200, 204, 301, 404, 422, 499, 500, 503]) history.count(status);
  history.save(began);
  history.save(began);
  history.count(200);
  history.save(began + 2 * 24 * hour);
  history.close();
  expect(readHistory(path, { days: 30, now: began + 3 * 24 * hour })).toEqual({ requests: 6, errors: 2 });
  expect(readHistory(path, { days: 2, now: began + 3 * 24 * hour })).toEqual({ requests: 1, errors: 0 });
  expect(readHistory(path, { days: 30, now: began + 40 * 24 * hour })).toEqual({ requests: 0, errors: 0 });
});

test("History is one when two sites add to it at once", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "history.db");
  const [old, next] = [new History(path), new History(path)];
  old.count(500);
  next.count(200);
  old.save(hour);
  next.save(hour);
  old.close();
  next.close();
  expect(readHistory(path, { days: 1, now: hour })).toEqual({ requests: 2, errors: 1 });
});

test("addCounter() enters each count of a counter once, whoever tells it and in which order", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "history.db");
  const tell = (generation: string, requests: number, errors: number) =>
    addCounter(path, { generation, requests, errors }, hour);
  const served = () => readHistory(path, { days: 1, now: hour });
  tell("one", 10, 1);
  tell("one", 12, 1);
  expect(served()).toEqual({ requests: 12, errors: 1 });
  tell("two", 3, 2);
  tell("one", 12, 1); // read before the reload, told after
  expect(served()).toEqual({ requests: 15, errors: 3 });
  tell("one", 2, 0); // the next process's counts under the name of the one before
  tell("two", 4, 2);
  expect(served()).toEqual({ requests: 16, errors: 3 });
});

let site: TestSite;
beforeEach(async () => {
  site = await aSite();
});
afterEach(() => site.clear());

const served = () => readHistory(sitePaths(site.stateDir).history, { days: 30, now: Date.now() });

test("the site's history outlives its revisions, an upgrade and the site itself", async () => {
  const { address } = await site.up();
  const target = openSite(site.stateDir, { fence: 1 });
  await target.start("bad", await site.stage("release-1", { status: 500 }));
  await target.writeWeights({ bad: 100 });
  for (let i = 0; i < 3; i++) await (await fetch(address)).text();
  // Testers who ask for an arm are no clients.
  await (await fetch(address, { headers: { "x-sluice-arm": "bad" } })).text();
  await target.start("good", await site.stage("release-2"));
  await target.writeWeights({ good: 100 });
  await target.stop("bad", { drainSeconds: 1 });
  for (let i = 0; i < 2; i++) await (await fetch(address)).text();
  await siteUpgrade(site.stateDir);
  await until("the replaced site to have kept its counts", async () => served().requests === 5 || undefined);
  expect(served()).toEqual({ requests: 5, errors: 3 });

  await (await fetch(address)).text();
  await siteDown(site.stateDir);
  expect(await siteStatus(site.stateDir)).toBeUndefined();
  expect(served()).toEqual({ requests: 6, errors: 3 });
}, 60_000);
