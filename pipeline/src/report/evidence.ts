import { z } from "zod";
import { judge } from "../decide/judge.ts";
import { fold, type Opened } from "../decide/state.ts";
import type { Entry } from "../spec/journal.ts";

/** How one metric's evidence against the canary grew; it fails at `threshold`. */
export const Evidence = z.strictObject({
  name: z.string(),
  against: z.enum(["baseline", "stable", "slo"]),
  threshold: z.number().positive(),
  words: z.string(),
  points: z.array(z.strictObject({ seconds: z.number().nonnegative(), evidence: z.number().nonnegative() })),
});
export type Evidence = z.infer<typeof Evidence>;

/** Judging again at a look costs as much as all looks before it, so long rollouts are judged at every n-th. */
const most = 120;
/** Beyond this a chart says no more, and JSON has no infinity. */
const ceiling = 1e30;

/** Asks the judge again, at the looks of the journal, and keeps what each metric said. */
export function evidenceOf(entries: readonly Entry[], { strategy, slo }: Opened): Evidence[] {
  const start = Date.parse(entries[0]?.at ?? "");
  const looks = fold(entries)?.looks ?? [];
  const times = entries.filter(({ event }) => event.kind === "looked").map(({ at }) => (Date.parse(at) - start) / 1000);
  const each = Math.ceil(Math.max(1, looks.length) / most);
  const series = new Map<string, Evidence>();
  for (const [i, look] of looks.entries()) {
    const step = strategy.steps[look.step];
    const seconds = times[i];
    if ((i % each !== 0 && i < looks.length - 1) || step === undefined || seconds === undefined) continue;
    const { metrics, threshold } = judge(looks.slice(0, i + 1), step, { judge: strategy.judge, slo });
    for (const { name, against, evidence, words } of metrics) {
      const key = `${against} ${name}`;
      const known = series.get(key) ?? { name, against, threshold, words, points: [] };
      const point = { seconds, evidence: Number.isFinite(evidence) ? Math.min(ceiling, evidence) : ceiling };
      series.set(key, { ...known, words, points: [...known.points, point] });
    }
  }
  return [...series.values()];
}
