import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { renderHtml } from "../../pipeline/src/report/html.ts";
import { summariseRollout } from "../../pipeline/src/report/summary.ts";
import type { ReleaseRecord } from "../../pipeline/src/spec/release.ts";
import { aJournal } from "../support/journal.ts";
import { aRelease } from "../support/policies.ts";
import { aBadRollout, aGoodRollout, aReport } from "./rollouts.ts";

const record: ReleaseRecord = {
  schema: "sluice/release/v1",
  release: aRelease("3.3.0"),
  environment: "local",
  admittedAt: "2026-11-24T12:00:00.000Z",
  reports: [aReport({ verdict: { kind: "fail", breaches: ["p99 <900> ms"] } })],
};

const page = await renderHtml(summariseRollout(aGoodRollout().entries), record);

test("renderHtml() draws each chart twice, with a title for those who cannot see it", () => {
  for (const title of ["Traffic", "Requests per second", "Errors", "Latency", "The judge"]) {
    expect(page.split(`<title>${title}`)).toHaveLength(3);
  }
  expect(page.match(/<svg role="img"/g)).toHaveLength(10);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test("renderHtml() needs nothing from elsewhere: no script, no address, no inline style", () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\bon\w+="|javascript:| style="|<style[^>]+>|url\((?!#)/i);
  expect(page.replaceAll(/xmlns(:xlink)?="[^"]*"/g, "")).not.toMatch(/https?:/);
});

test("renderHtml() allows its own style sheet by digest and nothing else", () => {
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
  const digest = createHash("sha256").update(style).digest("base64");
  const policy = /content-security-policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll("&#39;", "'");
  expect(policy).toBe(`default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`);
});

test("renderHtml() escapes whatever came from elsewhere", async () => {
  const evil = `<script>alert("1")</script> & 'quotes'`;
  const text = await renderHtml(summariseRollout(aBadRollout(evil).entries), record);
  expect(text).not.toContain("<script>");
  expect(text).toContain("&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;quotes&#39;");
  expect(text).toContain("p99 &#60;900&#62; ms");
});

test("renderHtml() tells the whole without charts where ECharts is missing", async () => {
  const text = await renderHtml(summariseRollout(aGoodRollout().entries), record, async () => undefined);
  expect(text).not.toContain("<svg");
  expect(text).toContain("optional package echarts is not installed");
  expect(text).toContain("Step 2: 50 %");
});

test("renderHtml() shows a rollout that ended before any traffic", async () => {
  const journal = aJournal().failed({ do: "start", arm: "canary" }, "it never became ready");
  const text = await renderHtml(summariseRollout(journal.aborted("it never became ready").entries));
  expect(text).toContain("No traffic reached the canary");
  expect(text.match(/<svg role="img"/g)).toHaveLength(2);
});
