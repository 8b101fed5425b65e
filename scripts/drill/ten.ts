import { spawn } from "node:child_process";
import { loadavg } from "node:os";
import { z } from "zod";
import { LoadFacts } from "../../pipeline/src/spec/load.ts";
import { Report } from "../../pipeline/src/spec/report.ts";
import { aPlace, type DrillPlace } from "./place.ts";

const runs = 10;
const Measured = z.object({ reports: z.array(Report).length(1) });

/**
 * Runs the load gate ten times on an unchanged service: stable against itself. Each must pass on a quiet machine; beside
 * a process that burns a core none may fail. Returns how many did otherwise.
 */
export async function drillTen(profile: string): Promise<number> {
  await using place = await aPlace("magika/3.2.0");
  await place.sluice("deploy magika@3.2.0");
  console.log(`\n== ${runs} runs of profile ${profile} on an unchanged service: each passes on a quiet machine`);
  const quiet = await measure(place, profile, (kind) => kind === "pass");
  console.log(`\n== ${runs} runs while another process burns a core: none fails`);
  const burner = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
  try {
    return quiet + (await measure(place, profile, (kind) => kind !== "fail"));
  } finally {
    burner.kill("SIGKILL");
  }
}

async function measure({ sluice }: DrillPlace, profile: string, isFine: (kind: string) => boolean): Promise<number> {
  console.log("   run  verdict       seconds  p50 candidate/stable    lag p99  load average");
  let unexpected = 0;
  for (let run = 1; run <= runs; run++) {
    const { stdout } = await sluice(`gates magika@3.2.0 --only load --profile ${profile} --json`);
    const { verdict, facts } = Measured.parse(JSON.parse(stdout)).reports[0] ?? {};
    const kind = verdict?.kind ?? "none";
    const note = isFine(kind) ? "" : `  UNEXPECTED: ${JSON.stringify(verdict)}`;
    console.log(`   ${String(run).padStart(3)}  ${kind.padEnd(12)}  ${rowOf(facts)}${note}`);
    if (!isFine(kind)) unexpected += 1;
  }
  return unexpected;
}

function rowOf(facts: Report["facts"] | undefined): string {
  const found = LoadFacts.safeParse(facts);
  if (!found.success) return "not measured";
  const { seconds, comparison, lagP99Ms } = found.data;
  const { ratio, low, high } = comparison?.median ?? { ratio: Number.NaN, low: Number.NaN, high: Number.NaN };
  const interval = `${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
  const lag = `${(lagP99Ms ?? Number.NaN).toFixed(1)} ms`;
  return `${String(seconds).padStart(7)}  ${interval.padEnd(22)} ${lag.padStart(9)}  ${(loadavg()[0] ?? 0).toFixed(2)}`;
}
