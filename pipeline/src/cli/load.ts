import type { Command } from "commander";
import { exitOfVerdict } from "../decide/exit.ts";
import { readPolicies } from "../release/policies.ts";
import { renderReports } from "../report/text.ts";
import { load } from "../stage/load/load.ts";
import { goldenRequests } from "../stage/load/request.ts";
import { addCommand } from "./command.ts";
import { placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { runningFrom } from "./running.ts";

export function register(program: Command): void {
  addCommand(
    program,
    "load",
    {
      description: "Is it fast enough? Drives a running service at a constant rate and holds it against slo.yaml.",
      example: "sluice load magika@3.3.0 --url http://127.0.0.1:8080 --key-file key.txt",
    },
    (command) =>
      command
        .argument("<model>", "model as name@version that it should serve")
        .requiredOption("--url <address>", "base address of the service")
        .requiredOption("--key-file <path>", "file with an API key of scope predict"),
    async (options, [ref = ""]) => {
      const place = placeOf(options);
      const { url, key, manifest, golden } = await runningFrom(place, options, ref);
      const { load: profile, slo } = await readPolicies(place.policiesDir, place.environment);
      const requests = goldenRequests(manifest.name, golden);
      const report = await load({ url, key, subject: ref, requests, profile, slo });
      const text = renderReports([report], coloursFor(process.stdout));
      return { exit: exitOfVerdict(report.verdict), json: { report }, text };
    },
  );
}
