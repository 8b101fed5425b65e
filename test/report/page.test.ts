import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { renderHtml } from "../../pipeline/src/report/html.ts";
import { summariseRollout } from "../../pipeline/src/report/summary.ts";
import { type Page, startBrowser } from "../support/browser.ts";
import { isInstalled } from "../support/external.ts";
import { aRelease } from "../support/policies.ts";
import { aBadRollout, aGoodRollout, aReport } from "./rollouts.ts";

setDefaultTimeout(60_000);

const titles = ["Traffic", "Requests per second", "Errors", "Latency", "The judge's evidence against the canary"];
const record = {
  schema: "sluice/release/v1",
  release: aRelease("3.3.0"),
  environment: "local",
  admittedAt: "2026-11-24T12:00:00.000Z",
  reports: [aReport(), aReport({ stage: "verify", figure: "6 files, 3.2 MiB, 12 golden cases" })],
} as const;

/** The title of each chart that is to be seen, in order, with how wide it is and how many lines and areas are drawn in it. */
const seenCharts = `[...document.querySelectorAll("figure svg")].filter((svg) => svg.getClientRects().length > 0).map((svg) => ({
  title: svg.closest("figure").querySelector("h3").textContent,
  width: svg.getBoundingClientRect().width,
  shapes: svg.querySelectorAll("path").length,
}))`;
const Charts = z.array(z.object({ title: z.string(), width: z.number(), shapes: z.number() }));

/** How far the page's content reaches beyond the screen, to the right. */
const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
/** Texts of charts that reach out of their chart, or lie over each other. */
const unreadable = `[...document.querySelectorAll("figure svg")].filter((svg) => svg.getClientRects().length > 0).flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map((text) => ({ words: text.textContent, box: text.getBoundingClientRect() }));
  const outside = texts.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
  const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const covered = texts.filter(({ box }, i) => texts.some((other, j) => j > i && meets(box, other.box)));
  return [...outside, ...covered].map(({ words }) => words);
})`;

describe.skipIf(!isInstalled("chromium"))("the report in Chromium", () => {
  let folder: string;
  let page: Page & AsyncDisposable;
  const urlOf = (name: string) => `file://${join(folder, name)}.html`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-report-"));
    const pages = { good: aGoodRollout(), bad: aBadRollout() };
    for (const [name, { entries }] of Object.entries(pages)) {
      const summary = summariseRollout(entries);
      await writeFile(
        join(folder, `${name}.html`),
        await renderHtml(summary, { ...record, reports: [...record.reports] }),
      );
    }
    page = await startBrowser();
  });
  afterAll(async () => {
    await page[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test.each([
    ["good", "a phone", 390, 844, false],
    ["bad", "a phone", 390, 844, false],
    ["good", "a small phone in the dark", 320, 568, true],
    ["good", "a desk", 1280, 900, false],
    ["bad", "a desk", 1280, 900, true],
  ] as const)("a %s rollout reads well on %s", async (name, _, width, height, dark) => {
    await page.open(urlOf(name), { width, height, dark });
    expect(page.complaints()).toEqual([]);
    expect(await page.evaluate(overflow, z.number())).toBe(0);
    const charts = await page.evaluate(seenCharts, Charts);
    expect(charts.map(({ title }) => title)).toEqual(titles);
    for (const chart of charts) {
      expect(chart.shapes).toBeGreaterThan(2);
      expect(chart.width).toBeGreaterThan(Math.min(width, 640) * 0.85);
    }
    expect(await page.evaluate(unreadable, z.array(z.string()))).toEqual([]);
  });

  test("complains of a page that is not allowed what it holds", async () => {
    const text = await Bun.file(join(folder, "good.html")).text();
    await writeFile(join(folder, "evil.html"), text.replace("<body>", "<body><script>alert(1)</script>"));
    await page.open(urlOf("evil"), { width: 390, height: 844 });
    expect(page.complaints().join()).toContain("Content Security Policy");
  });

  test("prints on a few pages of paper, each chart whole", async () => {
    await page.open(urlOf("good"), { width: 1280, height: 900 });
    const pdf = (await page.pdf()).toString("latin1");
    expect(pdf).toStartWith("%PDF-");
    const pages = pdf.match(/\/Type\s*\/Page\b(?!s)/g) ?? [];
    expect(pages.length).toBeGreaterThanOrEqual(1);
    expect(pages.length).toBeLessThanOrEqual(4);
  });
});
