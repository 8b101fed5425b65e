import { type Command, CommanderError } from "commander";
import { exitCodes, exitOfError } from "../decide/exit.ts";
import { DeployError } from "../spec/error.ts";
import { write } from "./command.ts";

/** Parses `args`, runs the command it names, and returns the process's exit code. */
export async function runProgram(program: Command, args: readonly string[]): Promise<number> {
  try {
    await throwing(program).parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    return explain(error, args.includes("--json"));
  }
}

/** Commander ends the process by itself unless every command is told not to. */
function throwing(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) throwing(child);
  return command;
}

async function explain(error: unknown, asJson: boolean): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof DeployError) {
    const { code, message } = error;
    if (asJson) await write(JSON.stringify({ error: { code, message } }, null, 2));
    console.error(message);
    return exitOfError(code);
  }
  console.error("This is a bug in Sluice; please report it with these lines:");
  console.error(error);
  return exitCodes.bug;
}
