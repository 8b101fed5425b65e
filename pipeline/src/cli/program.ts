import { Command } from "commander";

export const defaultEnvironment = "local";

type Part = { register(program: Command): void };

/** The commands that each file adds, in the order of the help. */
const parts: readonly { adds: readonly string[]; load: () => Promise<Part> }[] = [
  { adds: ["init"], load: () => import("./init.ts") },
  { adds: ["plan"], load: () => import("./plan.ts") },
  { adds: ["deploy"], load: () => import("./deploy.ts") },
  { adds: ["status", "history"], load: () => import("./status.ts") },
  { adds: ["rollout"], load: () => import("./rollout.ts") },
  { adds: ["pause", "resume", "approve", "promote", "abort"], load: () => import("./control.ts") },
  { adds: ["rollback"], load: () => import("./rollback.ts") },
  { adds: ["rehearse"], load: () => import("./rehearse.ts") },
  { adds: ["parity"], load: () => import("./parity.ts") },
  { adds: ["verify"], load: () => import("./verify.ts") },
  { adds: ["contract"], load: () => import("./contract.ts") },
  { adds: ["load"], load: () => import("./load.ts") },
  { adds: ["gates"], load: () => import("./gate-again.ts") },
  { adds: ["budget", "rules", "dashboard"], load: () => import("./budget.ts") },
  { adds: ["simulate"], load: () => import("./simulate.ts") },
  { adds: ["trace"], load: () => import("./trace.ts") },
  { adds: ["scan"], load: () => import("./scan.ts") },
  { adds: ["sbom"], load: () => import("./sbom.ts") },
  { adds: ["image"], load: () => import("./image.ts") },
  { adds: ["models"], load: () => import("./models.ts") },
  { adds: ["release"], load: () => import("./release.ts") },
  { adds: ["keys"], load: () => import("./keys.ts") },
  { adds: ["site"], load: () => import("./site.ts") },
];

/**
 * `sluice` with the commands that `args` may name: loading the others takes longer than many a command's work. Every
 * command is there where none is named, or help is asked for.
 */
export async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command("sluice")
    .description("Deploys ONNX models: verifies a release, proves it, and lets traffic in through a canary.")
    .option("--source <dir>", "folder with models/ and policies/", ".")
    .option("--state <dir>", "folder for releases, journals and the local site (default: .sluice in the source)")
    .option("--environment <name>", "a file of policies/environments", defaultEnvironment)
    .option("--signing-key <file>", "private EC key in PEM that signs releases (default: signingKey of trust.yaml)")
    .showHelpAfterError("(next: add --help)")
    .addHelpText("after", help);
  for (const part of await Promise.all(partsFor(args).map(({ load }) => load()))) part.register(program);
  return program;
}

/** An option's value may look like a command's name: then one more is loaded. */
function partsFor(args: readonly string[]) {
  const named = parts.filter(({ adds }) => adds.some((name) => args.includes(name)));
  const asksForHelp = ["help", "--help", "-h"].some((word) => args.includes(word));
  return named.length === 0 || asksForHelp ? parts : named;
}

const help = `
Exit codes: 0 done, 1 bug, 2 usage or invalid file, 3 a gate failed, 4 inconclusive, 5 could not measure,
            6 rolled back (stable is serving), 7 another rollout holds the lease, 130 interrupted

Examples:
  sluice deploy                     release what policies/environments/local.yaml names
  sluice deploy magika@3.3.0        release this one
  sluice status                     what is serving, and the rollout in progress
  sluice rollback                   return to the release before`;
