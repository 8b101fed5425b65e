import type { Action, Command, Entry, Event } from "../../pipeline/src/spec/journal.ts";
import type { Slo, Strategy } from "../../pipeline/src/spec/policy.ts";
import type { Latency, Sample, Samples } from "../../pipeline/src/spec/sample.ts";
import type { Verdict } from "../../pipeline/src/spec/verdict.ts";
import { aRelease, aSlo, aStep, aStrategy } from "./policies.ts";

export const arms = { stable: "stable.1", canary: "canary.2", baseline: "baseline.3" };

/** Requests of one arm at one look; every latency of `ms` is one request. */
export interface Seen {
  ms: readonly number[];
  errors?: number;
  clientErrors?: number;
}

/** Writes a journal as the rollout loop does, entry by entry, on a clock of its own. */
export class JournalBuilder {
  readonly entries: Entry[] = [];
  #at = Date.parse("2026-11-24T12:00:00.000Z");
  #samples: Samples = {};

  constructor(strategy: Strategy, slo: Slo) {
    const opened = { rollout: "2026-11-24T120000-magika", candidate: aRelease("3.3.0"), stable: aRelease("3.2.0") };
    this.add({ kind: "opened", ...opened, arms, strategy, slo });
  }

  add(event: Event): this {
    const previous = `sha256:${"0".repeat(64)}`;
    this.entries.push({ seq: this.entries.length, previous, at: new Date(this.#at).toISOString(), fence: 1, event });
    return this;
  }

  wait(seconds: number): this {
    this.#at += seconds * 1000;
    return this;
  }

  done(action: Action): this {
    return this.add({ kind: "intent", action }).wait(0.1).add({ kind: "outcome", action });
  }

  failed(action: Action, error: string): this {
    return this.add({ kind: "intent", action }).wait(0.1).add({ kind: "outcome", action, error });
  }

  prepared(): this {
    this.done({ do: "start", arm: "canary" }).done({ do: "start", arm: "baseline" });
    return this.done({ do: "replayGolden" });
  }

  /** Sets a step's weight and takes the look that the loop takes right after it. */
  weight(step: number, weight: number): this {
    return this.done({ do: "setWeight", step, weight }).look(step, {});
  }

  /** One look, with what each arm answered since the look before. */
  look(step: number, seen: { canary?: Seen; baseline?: Seen; stable?: Seen }): this {
    for (const arm of ["canary", "baseline", "stable"] as const) {
      const more = seen[arm];
      if (more !== undefined) this.#samples = { ...this.#samples, [arms[arm]]: sum(this.#samples[arms[arm]], more) };
    }
    return this.add({ kind: "looked", step, samples: this.#samples, answers: { compared: 0, changed: 0 } });
  }

  judged(step: number, verdict: Verdict, figure = "as measured"): this {
    return this.add({ kind: "judged", step, verdict, figure });
  }

  commanded(command: Command["command"], reason = "because"): this {
    return this.add({ kind: "commanded", command: { command, by: "ada", reason } });
  }

  promoted(): this {
    this.done({ do: "setStable" }).done({ do: "shiftAll", to: "canary" });
    this.done({ do: "stop", arm: "baseline" }).done({ do: "stop", arm: "stable" });
    return this.add({ kind: "closed", result: "promoted", reason: "every step passed" });
  }

  aborted(reason: string): this {
    this.done({ do: "shiftAll", to: "stable" })
      .done({ do: "stop", arm: "canary" })
      .done({ do: "stop", arm: "baseline" });
    return this.add({ kind: "closed", result: "aborted", reason });
  }
}

/** A journal that was just opened. */
export function aJournal(changes: Partial<Strategy> = {}, slo: Slo = aSlo): JournalBuilder {
  return new JournalBuilder(aStrategy({ steps: [aStep(10), aStep(50)], ...changes }), slo);
}

function sum(before: Sample | undefined, { ms, errors = 0, clientErrors = 0 }: Seen): Sample {
  const counts = new Map<number, number>(before?.latency);
  for (const value of ms) counts.set(value * 1000, (counts.get(value * 1000) ?? 0) + 1);
  const latency: Latency = [...counts].toSorted(([a], [b]) => a - b);
  return {
    requests: (before?.requests ?? 0) + ms.length,
    errors: (before?.errors ?? 0) + errors,
    clientErrors: (before?.clientErrors ?? 0) + clientErrors,
    latency,
  };
}
