import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { demandAllowed, promoteImage } from "../release/oci/promote.ts";
import type { Ask } from "../release/oci/registry.ts";
import { readPolicies } from "../release/policies.ts";
import { systemClock } from "../rollout/clock.ts";
import { fileStore } from "../rollout/file-store.ts";
import type { Entry } from "../spec/journal.ts";
import { type BoundWork, beginBound, boundStageOf, modelDirOf } from "./begin-bound.ts";
import { addCommand, type Outcome } from "./command.ts";
import { demandsOf } from "./demands.ts";
import { endingOf, exitOfEnding, stepOf, unchanged, writePage } from "./ending.ts";
import { overrideBudget, overrideBudgetOption } from "./error-budget.ts";
import { holding } from "./holding.ts";
import { type Place, parseOptions, placeOf } from "./options.ts";
import { terminalProgress } from "./progress.ts";
import { registryFrom, withRegistryOptions } from "./registry.ts";
import { rollBound } from "./roll-bound.ts";

const Options = z.object({
  keyFile: z.string().min(1),
  site: z.url().optional(),
  control: z.string().optional(),
  override: z.string().min(1).optional(),
  overrideBudget,
  page: z.string().min(1).optional(),
});
export type DeployOptions = z.infer<typeof Options>;

export function registerDeploy(image: Command): void {
  addCommand(
    image,
    "deploy",
    {
      description:
        "Let traffic in on a published image that runs already behind the environment's router, and make it the environment's.",
      example: "sluice image deploy registry.example/magika@sha256:… --environment staging --key-file key",
    },
    (command) =>
      withRegistryOptions(command)
        .argument("<address>", "host/repository:tag or host/repository@sha256:…")
        .requiredOption("--key-file <path>", "file with an API key of scopes predict and read")
        .option("--site <url>", "where clients come (default: the environment's)")
        .option("--control <where>", "HAProxy's runtime API, host:port or a socket (default: the environment's)")
        .option("--override <reason>", "begin in a freeze window or a cooldown; the reason is journaled")
        .option(...overrideBudgetOption)
        .option("--page <file>", "write what happened as one HTML page"),
    async (flags, [address = ""]) => {
      const { ask, reference } = await registryFrom(flags, address);
      return deploy(ask, reference.name, placeOf(flags), parseOptions(Options, flags));
    },
  );
}

async function deploy(ask: Ask, name: string, place: Place, options: DeployOptions): Promise<Outcome> {
  const policies = await readPolicies(place.policiesDir, place.environment);
  const demands = await demandsOf(place);
  const { image, record } = await demandAllowed(ask, name, demands, systemClock.now());
  const store = fileStore(join(place.stateDir, "rollouts", place.environment), systemClock);
  const progress = terminalProgress();
  return holding(store, async (held) => {
    const work: BoundWork = { ask, store, held, place, policies, progress, candidate: record.release };
    const stage = await boundStageOf(policies, options);
    const opened = await beginBound(work, stage, options);
    const promote = () => promoteImage(ask, image.digest, demands, systemClock.now());
    if (opened === undefined) {
      await promote();
      const ending = unchanged(record.release, place.environment);
      return { exit: exitCodes.done, json: { unchanged: true, ending }, text: `Nothing to do: ${ending.reason}` };
    }
    const onEntry = (entry: Entry) => {
      const step = stepOf(entry);
      if (step !== undefined) progress.done(step);
    };
    const candidateDir = await modelDirOf(place, opened.candidate);
    const stableDir = await modelDirOf(place, opened.stable);
    const ratePerSecond = policies.environment.traffic?.ratePerSecond;
    const folder = join(place.stateDir, "bound", place.environment);
    const rollout = { opened, held, store, folder, onEntry };
    await rollBound(stage.armsOf(opened), rollout, { candidateDir, stableDir, ratePerSecond });
    const journal = await store.readJournal(opened.rollout);
    const ending = endingOf(journal);
    await writePage(options.page, journal, record);
    if (ending.status === "promoted") await promote();
    const text = [...ending.steps, `${ending.status}: ${ending.reason}`].join("\n");
    return { exit: exitOfEnding(ending), json: { ending }, text };
  });
}
