import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { compareRuns, type Difference, subjectOf } from "../decide/parity.ts";
import { digestBytes } from "../release/digest.ts";
import { readJson } from "../spec/read.ts";
import { Report } from "../spec/report.ts";
import { addCommand } from "./command.ts";

/** A release's record.json, or what `dagger call admit record` gives: whatever else is in it, its reports count. */
const Run = z.object({ reports: z.array(Report).min(1) });

export function register(program: Command): void {
  addCommand(
    program,
    "parity",
    {
      description: "Did two runs look at the same and conclude the same? Compares their reports, stage by stage.",
      example: "sluice parity laptop.json ci.json",
    },
    (command) => command.argument("<a>", "record.json of one run").argument("<b>", "record.json of the other"),
    async (_options, [a = "", b = ""]) => {
      const [one, two] = await Promise.all([readJson(a, Run), readJson(b, Run)]);
      const differences = compareRuns(one.reports, two.reports);
      const same = differences.length === 0;
      const outputs = { a: digestOf(one.reports), b: digestOf(two.reports) };
      const text = same ? `The runs agree: ${outputs.a}` : differences.map(say).join("\n");
      return { exit: same ? exitCodes.done : exitCodes.gateFailed, json: { same, outputs, differences }, text };
    },
  );
}

/** The digest over what must be the same everywhere: what was looked at and what was concluded. */
function digestOf(reports: readonly Report[]): string {
  const stable = reports.map((report) => ({
    stage: report.stage,
    subject: subjectOf(report),
    verdict: report.verdict.kind,
    checks: report.checks.map((check) => [check.name, check.verdict.kind]),
    model: report.facts.digest ?? null,
  }));
  return digestBytes(new TextEncoder().encode(JSON.stringify(stable)));
}

function say({ stage, what, a, b }: Difference): string {
  return `${stage}: ${what} is ${a || "absent"} in the first run, ${b || "absent"} in the second`;
}
