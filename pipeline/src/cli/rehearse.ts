import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { type ExitCode, exitCodes } from "../decide/exit.ts";
import { findModel } from "../release/models.ts";
import { readPolicies } from "../release/policies.ts";
import { summariseRollout } from "../report/summary.ts";
import { Digest } from "../spec/digest.ts";
import type { Entry } from "../spec/journal.ts";
import type { Rehearsal } from "../spec/rehearsal.ts";
import { addCommand, type Outcome } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";
import { terminalProgress } from "./progress.ts";
import { rehearse, type Stage } from "./rehearsal.ts";

const Options = z.object({
  stable: z.string().min(1),
  stableImage: Digest,
  candidateImage: Digest,
  router: z.string().min(1),
  keyFile: z.string().min(1),
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
        .requiredOption("--key-file <path>", "file with an API key of scope predict"),
    work,
  );
}

async function work(flags: Record<string, unknown>, [ref = ""]: readonly string[]): Promise<Outcome> {
  const place = placeOf(flags);
  const options = parseOptions(Options, flags);
  const policies = await readPolicies(place.policiesDir, place.environment);
  const stable = { modelDir: await findModel(place.modelsDir, options.stable), image: options.stableImage };
  const candidate = { modelDir: await findModel(place.modelsDir, ref), image: options.candidateImage };
  const stage: Stage = {
    addresses: { stable: addressOf("stable"), baseline: addressOf("baseline"), canary: addressOf("canary") },
    site: `http://${options.router}:${ports.site}`,
    control: { host: options.router, port: ports.control },
    key: (await readFile(options.keyFile, "utf8")).trim(),
  };
  const progress = terminalProgress();
  const onEntry = ({ event }: Entry) => {
    if (event.kind === "judged") progress.done(`step ${event.step + 1}: ${event.verdict.kind}; ${event.figure}`);
  };
  const rehearsal = describe(await rehearse({ stable, candidate }, stage, { policies, onEntry }), options.stable, ref);
  const { status, reason } = rehearsal;
  return {
    exit: exitOf(rehearsal),
    json: { rehearsal },
    text: [...rehearsal.steps, `${status}: ${reason}`].join("\n"),
  };
}

function addressOf(host: string): string {
  return `http://${host}:${ports.service}`;
}

function describe(journal: readonly Entry[], stable: string, candidate: string): Rehearsal {
  const { status, reason, seconds } = summariseRollout(journal);
  const steps = journal.flatMap(({ event }) =>
    event.kind === "judged" ? [`step ${event.step + 1}: ${event.verdict.kind}; ${event.figure}`] : [],
  );
  return { schema: "sluice/rehearsal/v1", candidate, stable, status, reason, steps, seconds };
}

function exitOf({ status }: Rehearsal): ExitCode {
  if (status === "promoted") return exitCodes.done;
  return status === "aborted" ? exitCodes.rolledBack : exitCodes.inconclusive;
}
