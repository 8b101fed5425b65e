import { Command } from "commander";
import * as budget from "./budget.ts";
import * as contract from "./contract.ts";
import * as control from "./control.ts";
import * as deploy from "./deploy.ts";
import * as image from "./image.ts";
import * as init from "./init.ts";
import * as keys from "./keys.ts";
import * as load from "./load.ts";
import * as models from "./models.ts";
import * as parity from "./parity.ts";
import * as plan from "./plan.ts";
import * as rehearse from "./rehearse.ts";
import * as release from "./release.ts";
import * as rollback from "./rollback.ts";
import * as rollout from "./rollout.ts";
import * as sbom from "./sbom.ts";
import * as scan from "./scan.ts";
import * as simulate from "./simulate.ts";
import * as site from "./site.ts";
import * as status from "./status.ts";
import * as verify from "./verify.ts";

/** In the order of the help. */
const parts = [
  init,
  plan,
  deploy,
  status,
  rollout,
  control,
  rollback,
  rehearse,
  parity,
  verify,
  contract,
  load,
  budget,
  simulate,
  scan,
  sbom,
  image,
  models,
  release,
  keys,
  site,
];

/** Every command of `sluice`. */
export function buildProgram(): Command {
  const program = new Command("sluice")
    .description("Deploys ONNX models: verifies a release, proves it, and lets traffic in through a canary.")
    .option("--source <dir>", "folder with models/ and policies/", ".")
    .option("--state <dir>", "folder for releases, journals and the local site (default: .sluice in the source)")
    .option("--environment <name>", "a file of policies/environments", "local")
    .showHelpAfterError("(next: add --help)")
    .addHelpText("after", help);
  for (const part of parts) part.register(program);
  return program;
}

const help = `
Exit codes: 0 done, 1 bug, 2 usage or invalid file, 3 a gate failed, 4 inconclusive, 5 could not measure,
            6 rolled back (stable is serving), 7 another rollout holds the lease, 130 interrupted

Examples:
  sluice deploy                     release what policies/environments/local.yaml names
  sluice deploy magika@3.3.0        release this one
  sluice status                     what is serving, and the rollout in progress
  sluice rollback                   return to the release before`;
