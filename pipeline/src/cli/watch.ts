import { setTimeout } from "node:timers/promises";
import type { Outcome } from "./command.ts";
import { interruption } from "./interrupt.ts";

const everyMs = 1_000;

/** What a command would say now, and whether it would go on saying the same. */
export interface Reading {
  outcome: Outcome;
  settled: boolean;
}

/** Shows a reading anew each second, in place on a terminal, until it is settled or interrupted; returns the last. */
export async function watch(
  read: () => Promise<Reading>,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<Outcome> {
  const interrupt = interruption();
  try {
    for (;;) {
      const { outcome, settled } = await read();
      if (settled || interrupt.signal.aborted) return outcome;
      stream.write(`${stream.isTTY ? "\x1b[H\x1b[2J" : ""}${outcome.text}\n`);
      await setTimeout(everyMs, undefined, { signal: interrupt.signal }).catch(() => {});
    }
  } finally {
    interrupt.stop();
  }
}
