/** The command line that this process was given, to be given again. Keys are in files: nothing secret is in it. */
export function thisCommand(): string {
  return commandLine(process.argv.slice(2));
}

/** `sluice` with these arguments, as a shell reads them. */
export function commandLine(args: readonly string[]): string {
  return ["sluice", ...args.map(quoted)].join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
