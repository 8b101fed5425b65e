import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { readYaml } from "../spec/read.ts";
import { ScanPolicy } from "../spec/scan.ts";
import { writeSbom } from "../stage/scan/sbom.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";

const Options = z.object({ image: z.string().min(1), output: z.string().min(1), trivy: z.string().min(1) });

export function register(program: Command): void {
  addCommand(
    program,
    "sbom",
    {
      description: "List what is in an image: a CycloneDX bill of materials.",
      example: "sluice sbom --image magika.tar --output magika.cdx.json",
    },
    (command) =>
      command
        .requiredOption("--image <archive>", "an image archive (Docker or OCI)")
        .requiredOption("--output <file>", "file to write")
        .option("--trivy <program>", "Trivy's program", "trivy"),
    async (options) => {
      const { image, output, trivy } = parseOptions(Options, options);
      const policy = await readYaml(join(placeOf(options).policiesDir, "scan.yaml"), ScanPolicy);
      const components = await writeSbom({ kind: "image", path: image }, policy, { output, trivy });
      return { exit: exitCodes.done, json: { output, components }, text: `${output} lists ${components} components` };
    },
  );
}
