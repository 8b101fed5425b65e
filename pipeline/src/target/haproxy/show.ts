import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import type { Met } from "../local/history.ts";

const Count = z.coerce.number().int().nonnegative();

/** One server's counters, in the words of `show stat`. Other columns are left out. */
const ServerStat = z.object({
  svname: z.string(),
  scur: Count,
  stot: Count,
  hrsp_1xx: Count,
  hrsp_2xx: Count,
  hrsp_3xx: Count,
  hrsp_4xx: Count,
  hrsp_5xx: Count,
  hrsp_other: Count,
  cli_abrt: Count,
  srv_abrt: Count,
  weight: Count,
  status: z.string(),
  /** `host:port`; empty where the socket may not tell. */
  addr: z.string().default(""),
});
export type ServerStat = z.infer<typeof ServerStat>;

/** The servers of one backend, from the CSV of `show stat`. Throws `E_TOOL` when it has none of that name. */
export function parseStat(text: string, backend: string): ServerStat[] {
  const rows = rowsOf(text, backend).filter(({ svname }) => svname !== whole);
  return rows.map((row) => parse(ServerStat, row, "show stat"));
}

/** The row of a backend as a whole. */
const whole = "BACKEND";
const Answered = z.object({ hrsp_2xx: Count, hrsp_3xx: Count, hrsp_5xx: Count });

/** What clients of one backend met, from the same CSV: answers that HAProxy made itself too, each request once. */
export function parseMet(text: string, backend: string): Met {
  const row = rowsOf(text, backend).find(({ svname }) => svname === whole);
  const { hrsp_2xx, hrsp_3xx, hrsp_5xx } = parse(Answered, row, "show stat");
  return { requests: hrsp_2xx + hrsp_3xx + hrsp_5xx, errors: hrsp_5xx };
}

function rowsOf(text: string, backend: string): Record<string, string>[] {
  const [head = "", ...lines] = text.split("\n");
  const names = head.replace(/^# /, "").split(",");
  const rows = lines.map((line) =>
    Object.fromEntries(line.split(",").map((cell, index) => [names[index] ?? "", cell])),
  );
  const ours = rows.filter(({ pxname }) => pxname === backend);
  if (ours.length > 0) return ours;
  throw new DeployError("E_TOOL", `Cannot read HAProxy's counters: it has no backend ${backend}`);
}

/** One answered request's latency, as the stick table has it: the leading digits, how many digits in all, and how often. */
export type LatencyCell = { server: string; digits: number; length: number; count: number };

const cell = /key=(?<server>\S+)\/(?<digits>\d+)\/(?<length>\d+) .*gpc0=(?<count>\d+)/;

/** The cells of the latency table, from `show table`. */
export function parseTable(text: string): LatencyCell[] {
  return text.split("\n").flatMap((line) => {
    const groups = cell.exec(line)?.groups;
    if (groups === undefined) return [];
    return [
      {
        server: groups.server ?? "",
        digits: Number(groups.digits),
        length: Number(groups.length),
        count: Number(groups.count),
      },
    ];
  });
}

const Info = z.object({ Pid: z.string().min(1), Start_time_sec: z.string().min(1) });

/** Which process answered, from `show info`: its counters began with it. */
export function parseGeneration(text: string): string {
  const pairs = text.split("\n").map((line) => line.split(/:\s*/, 2));
  const { Pid, Start_time_sec } = parse(Info, Object.fromEntries(pairs), "show info");
  return `${Pid}@${Start_time_sec}`;
}

function parse<S extends z.ZodType>(schema: S, value: unknown, source: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new DeployError(
    "E_TOOL",
    `Cannot read HAProxy's answer to ${source}: ${issue?.message} at ${issue?.path.join(".")}`,
  );
}
