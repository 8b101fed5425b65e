import { DeployError } from "../../pipeline/src/spec/error.ts";
import { type Answer, createJob, type Job, type Limit, limitOf, lost, outcomeOf, type Submission } from "./job.ts";
import { Lane, type LaneEvents, type Refusal } from "./lane.ts";
import type { RunTimes, TaskResult, WorkerStart } from "./message.ts";
import { Problem } from "./problem.ts";
import { FairQueue } from "./queue.ts";

export type PoolLimits = {
  workers: number;
  /** Requests that may wait. */
  queue: number;
  /** A queue that was never empty for so long takes no request that would wait longer: bursts are borne, overload is not. */
  waitMs: number;
  /** Longest time for one request, waiting and running; a run that takes longer loses its worker. */
  deadlineMs: number;
};

/** Why a worker is replaced: it ended, it hung, or it refused to start. */
export const restartReasons = ["lost", "hung", "refused"] as const;

/** What the pool tells about itself, for metrics and logs. */
export type PoolEvents = {
  onRun(times: RunTimes): void;
  /** How long the first request of a run waited. */
  onWait(waitMs: number): void;
  onRestart(reason: (typeof restartReasons)[number]): void;
};

type Run = { jobs: Job[]; startedAt: number; hangs: ReturnType<typeof setTimeout> };

/** So many may always wait for each worker: a slow model is no reason to refuse the second client. */
const fewest = 4;
const firstBackoffMs = 50;
const longestBackoffMs = 5_000;

/** The worker threads of one model behind a bounded, fair queue. */
export class Pool {
  readonly #start: WorkerStart;
  readonly #limits: PoolLimits;
  readonly #events: PoolEvents;
  readonly #batchSize: number;
  readonly #queue: FairQueue<Job>;
  readonly #lanes = new Set<Lane>();
  readonly #running = new Map<Lane, Run>();
  readonly #opening = Promise.withResolvers<void>();
  #respawn: ReturnType<typeof setTimeout> | undefined;
  #isDue = false; // a dispatch, at the end of this turn of the event loop
  #backoffMs = firstBackoffMs;
  #itemMs = 0; // moving average of the time that one item holds a worker
  #ready = 0;
  #standsSince = 0; // when a request last found the queue empty
  #state: "opening" | "open" | "closed" = "opening";

  constructor(start: WorkerStart, limits: PoolLimits, events: PoolEvents) {
    this.#start = start;
    this.#limits = limits;
    this.#events = events;
    this.#batchSize = start.manifest.batch.safe ? start.manifest.batch.maxSize : 1;
    this.#queue = new FairQueue(limits.queue);
  }

  /** Requests that wait. */
  get depth(): number {
    return this.#queue.size;
  }

  /** Workers that can answer. */
  get ready(): number {
    return this.#ready;
  }

  /** Starts the workers; resolves when all are ready, throws a `DeployError` when one refuses to start. */
  open(): Promise<void> {
    this.#spawn();
    return this.#opening.promise;
  }

  /** Ends all workers and answers what still waits or runs with `worker-lost`. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#respawn);
    for (const lane of this.#lanes) lane.end("lost");
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) job.settle(lost());
  }

  /** Answers one task, or throws a `Problem`. */
  async submit({ input, wantOutputs, principal, deadlineMs, beganAt, signal }: Submission): Promise<Answer> {
    if (this.#state === "closed") throw lost();
    if (this.#queue.isFull) throw this.#busy("queue-full", "Cannot take the request: the queue is full");
    const ahead = this.#queue.ahead(principal);
    const waitMs = this.#expectedWaitMs(ahead);
    const goneMs = beganAt === undefined ? 0 : performance.now() - beganAt;
    const limit = limitOf(deadlineMs, Math.max(1, this.#limits.deadlineMs - goneMs));
    if (waitMs > limit.ms) {
      throw this.#late(
        limit,
        "wait-too-long",
        `Cannot take the request: the wait would be about ${Math.ceil(waitMs)} ms`,
      );
    }
    if (waitMs > this.#limits.waitMs && ahead >= fewest * this.#limits.workers && this.#isStanding) {
      throw this.#busy("queue-full", `Cannot take the request: it would wait about ${Math.ceil(waitMs)} ms`);
    }
    const { job, promise } = createJob({ input, wantOutputs }, principal, limit, (late) => this.#expire(late, limit));
    if (this.#queue.size === 0) this.#standsSince = performance.now();
    this.#queue.push(principal, job);
    this.#dispatchSoon();
    if (this.#mustWait) signal?.().addEventListener("abort", () => this.#abandon(job), { once: true });
    return promise;
  }

  /** Whether the request that came last is not in the next run. */
  get #mustWait(): boolean {
    return this.#running.size >= this.#ready || this.#queue.size > this.#batchSize;
  }

  /** Whether requests wait because more come than can be answered, and not because many came at once. */
  get #isStanding(): boolean {
    return this.#queue.size > 0 && performance.now() - this.#standsSince > this.#limits.waitMs;
  }

  #expectedWaitMs(ahead = this.#queue.size): number {
    const busy = this.#running.size < this.#ready ? 0 : 1;
    return ((ahead + busy) * this.#itemMs) / Math.max(1, this.#ready);
  }

  #busy(code: "queue-full" | "wait-too-long", detail: string): Problem {
    const seconds = Math.max(1, Math.ceil(this.#expectedWaitMs() / 1000));
    return new Problem(code, `${detail}; try again in ${seconds} s`, { headers: { "retry-after": String(seconds) } });
  }

  #expire(job: Job, limit: Limit): void {
    if (this.#queue.remove(job.principal, job)) {
      job.settle(this.#late(limit, "wait-too-long", "Cannot answer: the request waited until its deadline"));
    } else {
      job.settle(this.#late(limit, "deadline-exceeded", "Cannot answer: the model took longer than the deadline"));
    }
  }

  /** What runs goes on: a batch is not cut for one of its items. */
  #abandon(job: Job): void {
    if (!this.#queue.remove(job.principal, job)) return;
    job.settle(new Problem("client-gone", "Nobody waits for the answer any more"));
  }

  /** Whose deadline it was bears the fault: a client's own gives a 4xx, so that it counts against no release. */
  #late({ ms, own }: Limit, code: "wait-too-long" | "deadline-exceeded", state: string): Problem {
    const detail = `${state}, the deadline is ${ms} ms`;
    if (own) return new Problem("own-deadline-passed", detail);
    return code === "wait-too-long" ? this.#busy(code, detail) : new Problem(code, detail);
  }

  /** What arrives in one turn of the event loop shares a run, where runs can be shared. */
  #dispatchSoon(): void {
    if (this.#batchSize === 1) this.#dispatch();
    else if (!this.#isDue) {
      this.#isDue = true;
      setImmediate(() => {
        this.#isDue = false;
        this.#dispatch();
      });
    }
  }

  #dispatch(): void {
    for (const lane of this.#lanes) {
      if (this.#queue.size === 0) return;
      if (lane.state === "idle") this.#give(lane);
    }
  }

  #give(lane: Lane): void {
    const now = performance.now();
    const jobs: Job[] = [];
    while (jobs.length < this.#batchSize) {
      const job = this.#queue.shift();
      if (job === undefined) break;
      jobs.push(job);
    }
    const [first] = jobs;
    if (first !== undefined) this.#events.onWait(now - first.queuedAt);
    const hangs = setTimeout(() => lane.end("hung"), this.#limits.deadlineMs);
    this.#running.set(lane, { jobs, startedAt: now, hangs });
    lane.post(jobs.map((job) => job.task));
  }

  #done(lane: Lane, results: TaskResult[], times: RunTimes): void {
    const run = this.#take(lane);
    if (run !== undefined) {
      this.#itemMs += ((performance.now() - run.startedAt) / times.items - this.#itemMs) / 16;
    }
    this.#dispatch(); // the worker goes on while this thread answers
    if (run !== undefined) {
      const { jobs, startedAt } = run;
      for (const [i, job] of jobs.entries()) {
        job.settle(outcomeOf(results[i], { ...times, queuedAt: job.queuedAt, startedAt }));
      }
    }
    this.#events.onRun(times);
  }

  #take(lane: Lane): Run | undefined {
    const run = this.#running.get(lane);
    clearTimeout(run?.hangs);
    this.#running.delete(lane);
    return run;
  }

  /** Brings the number of workers to the wanted one. */
  #spawn(): void {
    while (this.#lanes.size < this.#limits.workers) this.#lanes.add(new Lane(this.#start, this.#laneEvents));
  }

  readonly #laneEvents: LaneEvents = {
    onReady: () => {
      this.#ready += 1;
      this.#backoffMs = firstBackoffMs;
      if (this.#ready === this.#limits.workers && this.#state === "opening") {
        this.#state = "open";
        this.#opening.resolve();
      }
      this.#dispatch();
    },
    onDone: (lane, results, times) => this.#done(lane, results, times),
    onEnd: (lane, why) => this.#ended(lane, why),
  };

  #ended(lane: Lane, why: "lost" | "hung" | Refusal): void {
    this.#lanes.delete(lane);
    if (typeof why === "string") this.#ready -= 1;
    for (const job of this.#take(lane)?.jobs ?? []) job.settle(lost());
    if (this.#state === "opening" && typeof why !== "string") {
      this.close();
      this.#opening.reject(new DeployError(why.code, why.message));
    }
    if (this.#state === "closed") return;
    this.#events.onRestart(typeof why === "string" ? why : "refused");
    clearTimeout(this.#respawn);
    this.#respawn = setTimeout(() => this.#spawn(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, longestBackoffMs);
  }
}
