/** One line of the log. Never a body, a header's value or a key. */
export type LogEntry = { level: "info" | "warn" | "error"; message: string } & Record<string, unknown>;

export type Log = { write(entry: LogEntry): void };

/** The process's own log: `about` puts fields into every line from then on. */
export type ProcessLog = Log & { flush(): void; about(fields: Record<string, string | undefined>): void };

const flushMs = 100;

/** Writes JSON lines to `out`, several at a time: a line may be up to 100 ms late, never lost by a drain. */
export function createLog(out: (text: string) => void, now: () => Date): ProcessLog {
  let common = "";
  let lines = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== "") out(lines);
    lines = "";
  };
  return {
    write(entry) {
      lines += `{"time":"${now().toISOString()}",${fieldsOf(entry)}${common}}\n`;
      if (entry.level !== "info" || lines.length > 65_536) flush();
      else timer ??= setTimeout(flush, flushMs);
    },
    flush,
    about(fields) {
      const text = fieldsOf(fields);
      common = text === "" ? "" : `,${text}`;
    },
  };
}

/** The fields of an object as they stand in JSON: to join texts costs less than to join objects. */
function fieldsOf(fields: Record<string, unknown>): string {
  return JSON.stringify(fields).slice(1, -1);
}
