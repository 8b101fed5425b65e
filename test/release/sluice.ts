import { Command } from "commander";
import * as models from "../../pipeline/src/cli/models.ts";
import * as release from "../../pipeline/src/cli/release.ts";
import { runProgram } from "../../pipeline/src/cli/run.ts";

/** Only the commands of this folder's tests, as a program of its own. */
const program = new Command("sluice")
  .option("--source <dir>", "", ".")
  .option("--state <dir>")
  .option("--environment <name>", "", "local");
for (const part of [models, release]) part.register(program);
process.exit(await runProgram(program, process.argv.slice(2)));
