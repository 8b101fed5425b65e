import { type Limit, limitOf, type Submission } from "./job.ts";
import { Problem } from "./problem.ts";
import type { FairQueue } from "./queue.ts";

/** Times in milliseconds. */
export type WaitingLimits = {
  workers: number;
  /** A queue that was never empty for so long takes no request that would wait longer: bursts are borne, overload is not. */
  waitMs: number;
  /** Longest time for one request, waiting and running. */
  deadlineMs: number;
};

/** Workers that can answer, and those of them that do. */
type Workers = { ready: number; busy: number };

/** So many may always wait for each worker: a slow model is no reason to refuse the second client. */
const fewest = 4;

/** How long a request would wait, and whether it may: one that could only be answered late is refused at once. */
export class Waiting {
  readonly #queue: FairQueue<unknown>;
  readonly #limits: WaitingLimits;
  readonly #workers: () => Workers;
  #itemMs = 0; // moving average of the time that one item holds a worker
  #standsSince = 0; // when a request last found the queue empty

  constructor(queue: FairQueue<unknown>, limits: WaitingLimits, workers: () => Workers) {
    this.#queue = queue;
    this.#limits = limits;
    this.#workers = workers;
  }

  /** The deadline of a request that may wait from now on; throws a `Problem` for one that may not. */
  admit({ principal, deadlineMs, beganAt }: Omit<Submission, "input" | "wantOutputs">): Limit {
    if (this.#queue.isFull) throw this.#busy("queue-full", "Cannot take the request: the queue is full");
    const ahead = this.#queue.ahead(principal);
    const waitMs = this.#expectedMs(ahead);
    const goneMs = beganAt === undefined ? 0 : performance.now() - beganAt;
    const limit = limitOf(deadlineMs, Math.max(1, this.#limits.deadlineMs - goneMs));
    const state = () => `Cannot take the request: it would wait about ${Math.ceil(waitMs)} ms`;
    if (waitMs > limit.ms) throw this.late(limit, "wait-too-long", state());
    if (waitMs > this.#limits.waitMs && ahead >= fewest * this.#limits.workers && this.#isStanding) {
      throw this.#busy("queue-full", state());
    }
    if (this.#queue.size === 0) this.#standsSince = performance.now();
    return limit;
  }

  /** Whose deadline it was bears the fault: a client's own gives a 4xx, so that it counts against no release. */
  late({ ms, own }: Limit, code: "wait-too-long" | "deadline-exceeded", state: string): Problem {
    const detail = `${state}, the deadline is ${ms} ms`;
    if (own) return new Problem("own-deadline-passed", detail);
    return code === "wait-too-long" ? this.#busy(code, detail) : new Problem(code, detail);
  }

  /** Learns from a run how long one of its items took. */
  ran(itemMs: number): void {
    this.#itemMs += (itemMs - this.#itemMs) / 16;
  }

  /** Whether requests wait because more come than can be answered, and not because many came at once. */
  get #isStanding(): boolean {
    return this.#queue.size > 0 && performance.now() - this.#standsSince > this.#limits.waitMs;
  }

  #expectedMs(ahead: number): number {
    const { ready, busy } = this.#workers();
    return ((ahead + (busy < ready ? 0 : 1)) * this.#itemMs) / Math.max(1, ready);
  }

  #busy(code: "queue-full" | "wait-too-long", detail: string): Problem {
    const seconds = Math.max(1, Math.ceil(this.#expectedMs(this.#queue.size) / 1000));
    return new Problem(code, `${detail}; try again in ${seconds} s`, { headers: { "retry-after": String(seconds) } });
  }
}
