import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitOfVerdict } from "../decide/exit.ts";
import { renderReports } from "../report/text.ts";
import { readYaml } from "../spec/read.ts";
import { ScanPolicy, type ScanTarget } from "../spec/scan.ts";
import { scan } from "../stage/scan/scan.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";

const Options = z.object({
  image: z.string().optional(),
  rootfs: z.string().optional(),
  trivy: z.string(),
  cache: z.string().optional(),
});

export function register(program: Command): void {
  addCommand(
    program,
    "scan",
    {
      description: "Look for vulnerabilities, secrets, misconfiguration and licences, by policies/scan.yaml.",
      example: "sluice scan --image magika.tar",
    },
    (command) =>
      command
        .option("--image <archive>", "an image archive (Docker or OCI) instead of the source")
        .option("--rootfs <dir>", "an unpacked root file system instead of the source")
        .option("--trivy <program>", "Trivy's program", "trivy")
        .option("--cache <dir>", "folder of Trivy's database (default: Trivy's own)"),
    async (options) => {
      const place = placeOf(options);
      const { image, rootfs, trivy, cache } = parseOptions(Options, options);
      const policy = await readYaml(join(place.policiesDir, "scan.yaml"), ScanPolicy);
      const target = targetOf(place.source, image, rootfs);
      const report = await scan({ target, policy, trivy, ...(cache === undefined ? {} : { cache }) });
      return {
        exit: exitOfVerdict(report.verdict),
        json: { report },
        text: renderReports([report], coloursFor(process.stdout)),
      };
    },
  );
}

function targetOf(source: string, image: string | undefined, rootfs: string | undefined): ScanTarget {
  if (image !== undefined) return { kind: "image", path: image };
  if (rootfs !== undefined) return { kind: "rootfs", path: rootfs };
  return { kind: "source", path: source };
}
