/** The command line that this process was given, to be given again. Keys are in files: nothing secret is in it. */
export function thisCommand(args: readonly string[] = process.argv.slice(2)): string {
  return ["sluice", ...args.map(quoted)].join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
