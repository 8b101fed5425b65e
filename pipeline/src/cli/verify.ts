import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { exitOfVerdict } from "../decide/exit.ts";
import { worst } from "../decide/worst.ts";
import { mapLanes } from "../release/lanes.ts";
import { findModel, listModels } from "../release/models.ts";
import { renderReports } from "../report/text.ts";
import { verify } from "../stage/verify.ts";
import { addCommand } from "./command.ts";
import { placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { readTrustFor } from "./trust.ts";

export function register(program: Command): void {
  addVerify(program, "sluice verify magika@3.3.0");
}

/** Adds the command to `parent`: it is `sluice verify`, and `sluice models verify` beside the other verbs for models. */
export function addVerify(parent: Command, example: string): void {
  addCommand(
    parent,
    "verify",
    {
      description: "Prove model folders: every file, the golden answers, and the signature by policies/trust.yaml.",
      example,
    },
    (command) => command.argument("[model...]", "models as name@version (default: all)"),
    async (options, args) => {
      const place = placeOf(options);
      const { modelsDir } = place;
      const trust = await readTrustFor(place);
      const refs = args.length > 0 ? args : await listModels(modelsDir);
      const reports = await mapLanes(refs, availableParallelism(), async (ref) => {
        return (await verify(await findModel(modelsDir, ref), { trust })).report;
      });
      const verdict = worst(reports.map((report) => ({ name: report.subject, verdict: report.verdict })));
      return {
        exit: exitOfVerdict(verdict),
        json: { reports },
        text: renderReports(reports, coloursFor(process.stdout)),
      };
    },
  );
}
