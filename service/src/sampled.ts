import type { Log } from "./log.ts";

/** Lines of information without a trace that are handed on each second. */
const perSecond = 1_000;

/**
 * Hands on warnings, errors and what belongs to a trace, and of the rest a bounded number: to make and send a record costs
 * about a tenth of what a cheap model's answer does, which a busy service would miss. The log itself has every line.
 */
export function sampled(log: Log, now: () => number): Log {
  let second = 0;
  let left = 0;
  const spend = () => {
    const current = Math.floor(now() / 1_000);
    if (current !== second) left = perSecond;
    second = current;
    left -= 1;
    return left >= 0;
  };
  return {
    write(entry) {
      if (entry.level !== "info" || entry.traceId !== undefined || spend()) log.write(entry);
    },
  };
}
