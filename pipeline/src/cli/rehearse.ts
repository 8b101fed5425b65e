import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { findModel } from "../release/models.ts";
import { readPolicies } from "../release/policies.ts";
import { Digest } from "../spec/digest.ts";
import type { Entry } from "../spec/journal.ts";
import { addCommand, type Outcome } from "./command.ts";
import { endingOf, exitOfEnding, stepOf, writePage } from "./ending.ts";
import { parseOptions, placeOf } from "./options.ts";
import { terminalProgress } from "./progress.ts";
import { rehearse } from "./rehearsal.ts";
import type { BoundStage } from "./roll-bound.ts";

const Options = z.object({
  stable: z.string().min(1),
  stableImage: Digest,
  candidateImage: Digest,
  router: z.string().min(1),
  keyFile: z.string().min(1),
  page: z.string().min(1).optional(),
});

/** Ports of the arms, of the router, and of its runtime API: as `dagger/rehearsal.ts` binds them. */
const ports = { service: 8080, site: 8000, control: 9999 };

export function register(program: Command): void {
  addCommand(
    program,
    "rehearse",
    {
      description:
        "Run a whole canary on images that run already as hosts stable, baseline and canary, behind HAProxy.",
      example:
        "sluice rehearse magika@3.3.0 --stable magika@3.2.0 --router router --key-file key --candidate-image sha256:… --stable-image sha256:…",
    },
    (command) =>
      command
        .argument("<candidate>", "model as name@version that the canary serves")
        .requiredOption("--stable <model>", "model as name@version that stable and baseline serve")
        .requiredOption("--stable-image <digest>", "digest of the image of stable and baseline")
        .requiredOption("--candidate-image <digest>", "digest of the canary's image")
        .requiredOption("--router <host>", "HAProxy's host")
        .requiredOption("--key-file <path>", "file with an API key of scope predict")
        .option("--page <file>", "write what happened as one HTML page"),
    work,
  );
}

async function work(flags: Record<string, unknown>, [ref = ""]: readonly string[]): Promise<Outcome> {
  const place = placeOf(flags);
  const options = parseOptions(Options, flags);
  const policies = await readPolicies(place.policiesDir, place.environment);
  const stable = { modelDir: await findModel(place.modelsDir, options.stable), image: options.stableImage };
  const candidate = { modelDir: await findModel(place.modelsDir, ref), image: options.candidateImage };
  const stage: BoundStage = {
    addresses: { stable: addressOf("stable"), baseline: addressOf("baseline"), canary: addressOf("canary") },
    site: `http://${options.router}:${ports.site}`,
    control: { host: options.router, port: ports.control },
    key: (await readFile(options.keyFile, "utf8")).trim(),
  };
  const progress = terminalProgress();
  const onEntry = (entry: Entry) => {
    const step = stepOf(entry);
    if (step !== undefined) progress.done(step);
  };
  const journal = await rehearse({ stable, candidate }, stage, { policies, onEntry });
  await writePage(options.page, journal);
  const ending = endingOf(journal);
  const { status, reason, steps } = ending;
  return { exit: exitOfEnding(ending), json: { ending }, text: [...steps, `${status}: ${reason}`].join("\n") };
}

function addressOf(host: string): string {
  return `http://${host}:${ports.service}`;
}
