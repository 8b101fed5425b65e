import { z } from "zod";
import { emptySample, type Latency, type Sample, Samples } from "../../spec/sample.ts";
import type { LatencyCell, ServerStat } from "./show.ts";

/** What one HAProxy process has counted. */
export function samplesOf(stats: readonly ServerStat[], cells: readonly LatencyCell[]): Samples {
  return Object.fromEntries(stats.map((stat) => [stat.svname, sampleOf(stat, cells)]));
}

function sampleOf(stat: ServerStat, cells: readonly LatencyCell[]): Sample {
  const answered = stat.hrsp_2xx + stat.hrsp_3xx;
  const responses = stat.hrsp_1xx + answered + stat.hrsp_4xx + stat.hrsp_5xx + stat.hrsp_other;
  // Refused, reset and timed out requests have no response of the server. At most too few: those of clients that left.
  const unanswered = Math.max(0, stat.stot - stat.scur - responses - stat.cli_abrt);
  const failed = stat.hrsp_5xx + unanswered;
  return {
    requests: answered + failed,
    errors: failed + stat.srv_abrt, // an answer that was cut is among the answered, too
    clientErrors: stat.hrsp_4xx,
    latency: latencyOf(cells.filter(({ server }) => server === stat.svname)),
  };
}

function latencyOf(cells: readonly LatencyCell[]): Latency {
  return cells
    .map(({ digits, length, count }): [number, number] => [upperEdge(digits, length), count])
    .sort(([a], [b]) => a - b);
}

/** The largest number of `length` digits that begins with `digits`. */
function upperEdge(digits: number, length: number): number {
  const scale = 10 ** Math.max(0, length - String(digits).length);
  return (digits + 1) * scale - 1;
}

/** What was counted before the present process, and the last that it told: its counters are lost with it. */
export const Kept = z.strictObject({ generation: z.string(), before: Samples, last: Samples });
export type Kept = z.infer<typeof Kept>;

/** Adds what a process tells now to what was kept. No count becomes smaller. */
export function goOn(kept: Kept | undefined, generation: string, now: Samples): Kept {
  if (kept === undefined) return { generation, before: {}, last: now };
  if (kept.generation !== generation) return { generation, before: only(now, total(kept)), last: now };
  return { ...kept, last: merge(kept.last, now, largest) };
}

/** Of servers that are gone nothing is kept. */
function only(present: Samples, samples: Samples): Samples {
  return Object.fromEntries(Object.entries(samples).filter(([id]) => id in present));
}

export function total({ before, last }: Kept): Samples {
  return merge(before, last, sum);
}

function merge(one: Samples, two: Samples, join: (one: Sample, two: Sample) => Sample): Samples {
  const ids = new Set([...Object.keys(one), ...Object.keys(two)]);
  return Object.fromEntries([...ids].map((id) => [id, join(one[id] ?? emptySample, two[id] ?? emptySample)]));
}

function sum(one: Sample, two: Sample): Sample {
  const counts = new Map(one.latency);
  for (const [edge, count] of two.latency) counts.set(edge, (counts.get(edge) ?? 0) + count);
  return {
    requests: one.requests + two.requests,
    errors: one.errors + two.errors,
    clientErrors: one.clientErrors + two.clientErrors,
    latency: [...counts].sort(([a], [b]) => a - b),
  };
}

/** Requests under way make some counts dip for a moment. */
function largest(before: Sample, now: Sample): Sample {
  return {
    requests: Math.max(before.requests, now.requests),
    errors: Math.max(before.errors, now.errors),
    clientErrors: Math.max(before.clientErrors, now.clientErrors),
    latency: now.latency,
  };
}
