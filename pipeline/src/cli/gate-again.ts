import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitOfVerdict } from "../decide/exit.ts";
import { worst } from "../decide/worst.ts";
import { findModel } from "../release/models.ts";
import { readRelease } from "../release/stage.ts";
import { renderLoad } from "../report/load.ts";
import { renderLoadPage } from "../report/load-section.ts";
import { renderReports } from "../report/text.ts";
import { DeployError } from "../spec/error.ts";
import { LoadPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import type { Release } from "../spec/release.ts";
import { stage } from "./bootstrap.ts";
import { addCommand } from "./command.ts";
import { gateNames, type NamedProfile, runLiveGates } from "./gates.ts";
import { holding } from "./holding.ts";
import { type Host, openHost } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";
import { coloursFor, terminalProgress } from "./progress.ts";
import { openTarget } from "./target.ts";

const Options = z.object({
  only: z.enum(gateNames, `expected ${gateNames.join(" or ")}`).optional(),
  profile: z.string().min(1).optional(),
  page: z.string().min(1).optional(),
});

export function register(program: Command): void {
  addCommand(
    program,
    "gates",
    {
      description:
        "Run the gates that need a running candidate again, beside the site's stable release. No traffic is moved.",
      example: "sluice gates magika@3.3.0 --only load --profile gate",
    },
    (command) =>
      command
        .argument("<release>", "release id, or model as name@version")
        .option("--only <gate>", `${gateNames.join(" or ")} alone`)
        .option("--profile <name>", "another profile of load.yaml than the environment's")
        .option("--page <file>", "write the load gate's measurement as one HTML page"),
    async (options, [ref = ""]) => {
      const { only, profile: name, page } = parseOptions(Options, options);
      const host = await openHost(placeOf(options));
      const profile = await profileOf(host, name);
      const reports = await holding(host.store, async ({ lease }) => {
        const target = await openTarget(host, lease.fence);
        const release = await releaseOf(host, ref);
        return runLiveGates(host, target, { release, progress: terminalProgress(), only, profile });
      });
      const load = reports.find((report) => report.stage === "load");
      if (page !== undefined && load !== undefined) await writeFile(page, await renderLoadPage(load));
      const verdict = worst(reports.map((report) => ({ name: report.stage, verdict: report.verdict })));
      const shown = [renderReports(reports, coloursFor(process.stdout)), load === undefined ? "" : renderLoad(load)];
      return { exit: exitOfVerdict(verdict), json: { verdict, reports }, text: shown.join("\n\n").trimEnd() };
    },
  );
}

async function profileOf(host: Host, name: string | undefined): Promise<NamedProfile | undefined> {
  if (name === undefined) return undefined;
  const { profiles } = await readYaml(join(host.place.policiesDir, "load.yaml"), LoadPolicy);
  const profile = profiles[name];
  if (profile !== undefined) return { name, profile };
  const known = Object.keys(profiles).toSorted().join(", ");
  throw new DeployError("E_USAGE", `Cannot use --profile: load.yaml has no ${name}; known are ${known}`);
}

async function releaseOf(host: Host, ref: string): Promise<Release> {
  if (!ref.includes("@")) return readRelease(host.releasesDir, ref);
  return stage(host, await findModel(host.place.modelsDir, ref));
}
