import type { Command } from "commander";
import { exitOfVerdict } from "../decide/exit.ts";
import { renderReports } from "../report/text.ts";
import { contract } from "../stage/contract/contract.ts";
import { addCommand } from "./command.ts";
import { placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { runningFrom } from "./running.ts";

export function register(program: Command): void {
  addCommand(
    program,
    "contract",
    {
      description:
        "Is this a correct Sluice service? Asks a running one, and holds every answer against its own OpenAPI.",
      example: "sluice contract magika@3.3.0 --url http://127.0.0.1:8080 --key-file key.txt",
    },
    (command) =>
      command
        .argument("<model>", "model as name@version that it should serve")
        .requiredOption("--url <address>", "base address of the service")
        .requiredOption("--key-file <path>", "file with an API key of scopes predict, read and metrics")
        .option("--limited-key-file <path>", "file with an API key that may only read"),
    async (options, [ref = ""]) => {
      const { url, key, otherKeys, manifest, golden } = await runningFrom(placeOf(options), options, ref);
      const report = await contract({ url, key, otherKeys, subject: ref, manifest, golden });
      const text = renderReports([report], coloursFor(process.stdout));
      return { exit: exitOfVerdict(report.verdict), json: { report }, text };
    },
  );
}
