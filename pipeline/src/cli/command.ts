import type { Command } from "commander";
import type { ExitCode } from "../decide/exit.ts";

/** What a command leaves behind: its exit code, the document of `--json`, and the text for people. */
export interface Outcome {
  exit: ExitCode;
  json: unknown;
  text: string;
}

/** Adds what every command has: `--json`, an example in its help, and one way to end. */
export function addCommand(
  parent: Command,
  usage: string,
  { description, example }: { description: string; example: string },
  configure: (command: Command) => Command,
  work: (options: Record<string, unknown>, args: readonly string[]) => Promise<Outcome>,
): void {
  const command = parent
    .command(usage)
    .description(description)
    .option("--json", "write one JSON document to stdout")
    .addHelpText("after", `\nExample:\n  ${example}`);
  configure(command).action(async () => {
    const options: Record<string, unknown> = command.optsWithGlobals();
    const { exit, json, text } = await work(options, command.args);
    await write(options.json === true ? JSON.stringify(json, null, 2) : text);
    process.exitCode = exit;
  });
}

/** Writes to stdout and returns when the text has left the process, so that a pipe gets all of it. */
export function write(text: string): Promise<void> {
  if (text === "") return Promise.resolve();
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}
