import type { Command } from "commander";
import { exitOfVerdict } from "../decide/exit.ts";
import { worst } from "../decide/worst.ts";
import { findModel, listModels } from "../release/models.ts";
import { renderReports } from "../report/text.ts";
import { verify } from "../stage/verify.ts";
import { addCommand } from "./command.ts";
import { placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { readTrustFor } from "./trust.ts";

export function register(program: Command): void {
  addCommand(
    program,
    "verify",
    {
      description: "Prove model folders: every file against its manifest, and the golden answers.",
      example: "sluice verify magika@3.3.0",
    },
    (command) => command.argument("[model...]", "models as name@version (default: all)"),
    async (options, args) => {
      const place = placeOf(options);
      const { modelsDir } = place;
      const trust = await readTrustFor(place);
      const refs = args.length > 0 ? args : await listModels(modelsDir);
      const reports = [];
      for (const ref of refs) reports.push((await verify(await findModel(modelsDir, ref), { trust })).report);
      const verdict = worst(reports.map((report) => ({ name: report.subject, verdict: report.verdict })));
      return {
        exit: exitOfVerdict(verdict),
        json: { reports },
        text: renderReports(reports, coloursFor(process.stdout)),
      };
    },
  );
}
