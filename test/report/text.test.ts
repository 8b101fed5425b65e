import { expect, test } from "bun:test";
import pc from "picocolors";
import { summariseRollout } from "../../pipeline/src/report/summary.ts";
import { type Deployed, renderDeploy, renderReports, renderRollout, sayGate } from "../../pipeline/src/report/text.ts";
import { duration } from "../../pipeline/src/report/words.ts";
import type { JournalBuilder } from "../support/journal.ts";
import { aJournal } from "../support/journal.ts";
import { aBadRollout, aGoodRollout, aReport } from "./rollouts.ts";

const plain = pc.createColors(false);
const noTrivy = "Cannot scan: trivy is not on the PATH; next: scripts/ci-tools.sh trivy";
const unscanned = aReport({ stage: "scan", verdict: { kind: "error", reason: noTrivy }, figure: "not scanned" });

function deployed(journal: JournalBuilder, changes: Partial<Deployed> = {}): string {
  const summary = summariseRollout(journal.entries);
  const reports = [aReport(), unscanned];
  const paths = { reportPath: "/srv/report.html", keyFile: "/srv/api-key", questionFile: "/srv/question.json" };
  const say = (command: string) => `sluice ${command} --source /srv`;
  const site = { address: "http://127.0.0.1:4000/", model: "magika", hasTraffic: true };
  return renderDeploy({ summary, reports, required: ["load"], ...site, ...paths, say, ...changes }, plain);
}

test("renderDeploy() says what was released, on what grounds, where it is, and what to do next", () => {
  const text = deployed(aGoodRollout());
  expect(text).toStartWith("magika@3.3.0 is released and serves all traffic\n");
  expect(text).toMatch(/model +magika@3\.3\.0 +sha256:aaaaaaaaaaaa\n/);
  expect(text).toMatch(/load +pass +p99 21 ms of 250 ms at 40\/s\n/);
  expect(text).toMatch(/1 +10 % +3 s +canary +30 +0 +4\.0 ms +20 ms +pass\n/);
  expect(text).toContain("http://127.0.0.1:4000/v1/models/magika/predict");
  expect(text).toContain("$(cat /srv/api-key)");
  expect(text).toContain("--data-binary @/srv/question.json");
  expect(text).toContain("sluice rollback --source /srv");
});

test("renderDeploy() offers made-up traffic to a rollout that nobody sends requests to", () => {
  const reason = "Cannot judge canary: it answered 0 requests, policy needs 20 (20 more)";
  const starved = () => {
    const journal = aJournal().prepared().weight(0, 10).wait(1).look(0, {});
    return journal.judged(0, { kind: "inconclusive", reason }).add({ kind: "paused", reason });
  };
  const text = deployed(starved(), { hasTraffic: false });
  expect(text).toContain("0 requests, policy needs 20 (20 more)");
  expect(text).toContain("sluice resume --traffic synthetic --source /srv");
  expect(deployed(starved())).not.toContain("--traffic");
  expect(deployed(aGoodRollout(), { hasTraffic: false })).not.toContain("--traffic");
});

test("renderDeploy() says of a stage that nobody requires why it was not measured", () => {
  expect(deployed(aGoodRollout())).toMatch(/scan +- +not required here: trivy is not on the PATH\n/);
});

test.each([
  ["that nobody requires and did not run", unscanned, [], "scan: not required here: trivy is not on the PATH"],
  ["that is required and did not run", unscanned, ["scan"], "scan: error; not scanned"],
  ["that nobody requires and ran", aReport(), [], "load: pass; p99 21 ms of 250 ms at 40/s (not required here)"],
  ["that is required and ran", aReport(), ["load"], "load: pass; p99 21 ms of 250 ms at 40/s"],
] as const)("sayGate() has the summary's words for a stage %s", (_, report, required, words) => {
  expect(sayGate(report, required)).toBe(words);
});

test("renderDeploy() shows an unmeasured stage that is required as an error", () => {
  expect(deployed(aGoodRollout(), { required: ["load", "scan"] })).toMatch(/scan +error +not scanned\n/);
});

test("renderDeploy() says of a bad canary that stable serves, and what was found", () => {
  const text = deployed(aBadRollout());
  expect(text).toStartWith("magika@3.3.0 was taken back, magika@3.2.0 serves all traffic\n");
  expect(text).toContain("Step 1: 15 errors in 30 requests, baseline 0 in 30");
  expect(text).not.toContain("rollback");
});

test("renderDeploy() names the ways on from a pause", () => {
  const text = deployed(aJournal().prepared().commanded("pause", "lunch"));
  expect(text).toStartWith("The rollout of magika@3.3.0 is paused\n");
  for (const command of ["resume", "abort"]) expect(text).toContain(`sluice ${command} --source /srv`);
});

test("renderDeploy() fits 100 columns, however long a reason is", () => {
  const breach = Array.from({ length: 40 }, (_, i) => `reason ${i} of many`).join(", ");
  const reports = [aReport({ verdict: { kind: "fail", breaches: [breach] } })];
  for (const line of deployed(aBadRollout(breach), { reports }).split("\n"))
    expect(line.length).toBeLessThanOrEqual(100);
});

test("renderReports() lists each breach below its stage", () => {
  const text = renderReports([aReport({ verdict: { kind: "fail", breaches: ["too slow", "too wrong"] } })], plain);
  expect(text.split("\n").map((line) => line.trim())).toEqual([
    "load  fail  p99 21 ms of 250 ms at 40/s",
    "too slow",
    "too wrong",
  ]);
});

test("renderRollout() colours words only when it is asked to", () => {
  const summary = summariseRollout(aGoodRollout().entries);
  expect(renderRollout(summary, plain)).not.toContain("\u001b");
  expect(renderRollout(summary, pc.createColors(true))).toContain("\u001b[32m");
});

test.each([
  [12.4, "12 s"],
  [59.6, "1 min 00 s"],
  [62, "1 min 02 s"],
  [7_500, "2 h 05 min"],
])("duration() of %p seconds", (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});
