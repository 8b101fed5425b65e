import type { Sample, Samples } from "../../spec/sample.ts";
import { Durations } from "../../stage/load/histogram.ts";

/** How one request to a revision ended. `cancelled`: the client went away, which speaks of no arm. */
export type Ending = "answered" | "error" | "clientError" | "cancelled";

type Count = { requests: number; errors: number; clientErrors: number; durations: Durations };

/** Counts what came back, by revision. Latency is that of the answered requests, to the answer's last byte. */
export class Meter {
  #counts = new Map<string, Count>();

  /** Begins to count a revision that has no count yet. */
  open(id: string): void {
    if (this.#counts.has(id)) return;
    this.#counts.set(id, { requests: 0, errors: 0, clientErrors: 0, durations: new Durations() });
  }

  record(id: string, ending: Ending, ms: number): void {
    if (ending === "cancelled") return;
    const count = this.#counts.get(id);
    if (count === undefined) return; // stopped meanwhile
    if (ending === "clientError") {
      count.clientErrors += 1;
      return;
    }
    count.requests += 1;
    if (ending === "error") count.errors += 1;
    else count.durations.record(ms);
  }

  read(): Samples {
    const samples: Record<string, Sample> = {};
    for (const [id, { requests, errors, clientErrors, durations }] of this.#counts) {
      samples[id] = { requests, errors, clientErrors, latency: durations.toLatency() };
    }
    return samples;
  }

  /** Goes on from what an earlier site had told, so that no count ever becomes smaller. */
  restore(samples: Samples): void {
    for (const [id, { requests, errors, clientErrors, latency }] of Object.entries(samples)) {
      this.#counts.set(id, { requests, errors, clientErrors, durations: Durations.from(latency) });
    }
  }

  forget(id: string): void {
    this.#counts.delete(id);
  }
}
