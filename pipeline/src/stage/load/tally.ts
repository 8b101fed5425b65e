import type { z } from "zod";
import { Durations } from "./histogram.ts";
import type { TallyWire } from "./wire.ts";

/** Running counts of one target; see `LoadFacts` for the meaning of each. */
export class Tally {
  planned = 0;
  dropped = 0;
  requests = 0;
  errors = 0;
  readonly errorKinds: Record<string, number> = {};
  readonly response = new Durations();
  readonly service = new Durations();
  readonly lag = new Durations();
  /** Service time in milliseconds by round, where two targets are compared. */
  readonly series: [round: number, ms: number][] = [];

  /** Counts one finished request; times in milliseconds on one monotonic clock. */
  add(times: { intended: number; started: number; ended: number }, error: string | undefined): void {
    this.requests++;
    this.lag.record(times.started - times.intended);
    if (error !== undefined) {
      this.#count(error, 1);
      return;
    }
    // Timers may fire a fraction of a millisecond early: a request never ends faster than it was served.
    this.response.record(times.ended - Math.min(times.intended, times.started));
    this.service.record(times.ended - times.started);
  }

  /** Keeps the service time of a round, to be paired with the other target's. */
  remember(round: number, ms: number): void {
    this.series.push([round, ms]);
  }

  /** Adds what another process counted. */
  merge(other: z.infer<typeof TallyWire>): void {
    this.planned += other.planned;
    this.dropped += other.dropped;
    this.requests += other.requests;
    for (const [kind, count] of Object.entries(other.errorKinds)) this.#count(kind, count);
    this.response.merge(Durations.from(other.response));
    this.service.merge(Durations.from(other.service));
    this.lag.merge(Durations.from(other.lag));
    for (const [round, ms] of other.series) this.remember(round, ms);
  }

  toWire(): z.infer<typeof TallyWire> {
    const { planned, dropped, requests, errorKinds, series } = this;
    const [response, service, lag] = [this.response.toLatency(), this.service.toLatency(), this.lag.toLatency()];
    return { planned, dropped, requests, errorKinds, response, service, lag, series };
  }

  #count(kind: string, count: number): void {
    this.errors += count;
    this.errorKinds[kind] = (this.errorKinds[kind] ?? 0) + count;
  }
}
