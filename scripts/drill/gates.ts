import { renderReports } from "../../pipeline/src/report/text.ts";
import { type Broken, brokenGates } from "../../test/fixtures/gates/broken.ts";

const plain = (text: string) => text;
const colours = { bold: plain, dim: plain, green: plain, red: plain, yellow: plain };

/** Breaks each gate once and shows what it says. Returns how many were not seen. */
export async function drillGates(): Promise<number> {
  let unexpected = 0;
  for (const broken of brokenGates) if (!(await isSeen(broken))) unexpected += 1;
  return unexpected;
}

async function isSeen({ fault, kind, words, run }: Broken): Promise<boolean> {
  console.log(`\n== ${fault}\n   expected: ${kind}, ${words.source}`);
  const report = await run();
  for (const line of renderReports([report], colours).split("\n")) console.log(`   |${line}`);
  const seen = report.verdict.kind === kind && words.test(JSON.stringify(report.verdict));
  console.log(`   ${seen ? "as expected" : "UNEXPECTED"}: ${report.verdict.kind}`);
  return seen;
}
