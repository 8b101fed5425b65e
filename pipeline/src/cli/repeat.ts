import { join, resolve } from "node:path";
import type { Place } from "./options.ts";
import { defaultEnvironment } from "./program.ts";

/** The command line that this process was given, to be given again. Keys are in files: nothing secret is in it. */
export function thisCommand(): string {
  return commandLine(process.argv.slice(2));
}

/**
 * How `place`'s commands are written from folder `cwd`: nothing is said of what is so by default, and in Sluice's own
 * checkout npm knows the program.
 */
export function sayCommandsOf(place: Place, { cwd, home }: { cwd: string; home: string }): (command: string) => string {
  const program = resolve(home) === cwd ? "npm run sluice --" : "sluice";
  const flags = [
    ...(place.source === cwd ? [] : ["--source", place.source]),
    ...(place.stateDir === join(place.source, ".sluice") ? [] : ["--state", place.stateDir]),
    ...(place.environment === defaultEnvironment ? [] : ["--environment", place.environment]),
  ];
  return (command) => [program, command, ...flags.map(quoted)].join(" ");
}

/** `sluice` with these arguments, as a shell reads them. */
export function commandLine(args: readonly string[]): string {
  return ["sluice", ...args.map(quoted)].join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
