import pc from "picocolors";

/** Colours for a stream: none unless it is a terminal. */
export function coloursFor(stream: { isTTY?: boolean }): ReturnType<typeof pc.createColors> {
  return pc.createColors(stream.isTTY === true && process.env.NO_COLOR === undefined);
}

/** Says on stderr what goes on: a line for each thing done, and on a terminal one line that changes in place. */
export interface Progress {
  done(text: string): void;
  now(text: string): void;
}

export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const colours = coloursFor(stream);
  const clear = stream.isTTY ? "\r\x1b[2K" : "";
  return {
    done: (text) => stream.write(`${clear}${colours.green("•")} ${text}\n`),
    now: (text) => {
      if (stream.isTTY) stream.write(`${clear}${colours.dim(`  ${text}`.slice(0, (stream.columns ?? 100) - 1))}`);
    },
  };
}
