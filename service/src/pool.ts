import { DeployError } from "../../pipeline/src/spec/error.ts";
import { type Answer, createJob, type Job, type Limit, lost, outcomeOf, type Submission } from "./job.ts";
import { Lane, type LaneEvents, type Refusal } from "./lane.ts";
import type { RunTimes, TaskResult, WorkerStart } from "./message.ts";
import { Problem } from "./problem.ts";
import { FairQueue } from "./queue.ts";
import { Waiting, type WaitingLimits } from "./waiting.ts";

/** `queue`: requests that may wait. A run that takes longer than a request may loses its worker. */
export type PoolLimits = WaitingLimits & { queue: number };

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

const firstBackoffMs = 50;
const longestBackoffMs = 5_000;

/** The worker threads of one model behind a bounded, fair queue. */
export class Pool {
  readonly #start: WorkerStart;
  readonly #limits: PoolLimits;
  readonly #events: PoolEvents;
  readonly #batchSize: number;
  readonly #queue: FairQueue<Job>;
  readonly #waiting: Waiting;
  readonly #lanes = new Set<Lane>();
  readonly #running = new Map<Lane, Run>();
  readonly #opening = Promise.withResolvers<void>();
  #respawn: ReturnType<typeof setTimeout> | undefined;
  #isDue = false; // a dispatch, at the end of this turn of the event loop
  #backoffMs = firstBackoffMs;
  #ready = 0;
  #state: "opening" | "open" | "closed" = "opening";

  constructor(start: WorkerStart, limits: PoolLimits, events: PoolEvents) {
    this.#start = start;
    this.#limits = limits;
    this.#events = events;
    this.#batchSize = start.manifest.batch.safe ? start.manifest.batch.maxSize : 1;
    this.#queue = new FairQueue(limits.queue);
    this.#waiting = new Waiting(this.#queue, limits, () => ({ ready: this.#ready, busy: this.#running.size }));
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
  async submit(submission: Submission): Promise<Answer> {
    if (this.#state === "closed") throw lost();
    const { input, wantOutputs, principal, signal } = submission;
    const limit = this.#waiting.admit(submission);
    const { job, promise } = createJob({ input, wantOutputs }, principal, limit, (late) => this.#expire(late, limit));
    this.#queue.push(principal, job);
    this.#dispatchSoon();
    if (this.#mustWait) signal?.().addEventListener("abort", () => this.#abandon(job), { once: true });
    return promise;
  }

  /** Whether the request that came last is not in the next run. */
  get #mustWait(): boolean {
    return this.#running.size >= this.#ready || this.#queue.size > this.#batchSize;
  }

  #expire(job: Job, limit: Limit): void {
    if (this.#queue.remove(job.principal, job)) {
      job.settle(this.#waiting.late(limit, "wait-too-long", "Cannot answer: the request waited until its deadline"));
    } else {
      job.settle(
        this.#waiting.late(limit, "deadline-exceeded", "Cannot answer: the model took longer than the deadline"),
      );
    }
  }

  /** What runs goes on: a batch is not cut for one of its items. */
  #abandon(job: Job): void {
    if (!this.#queue.remove(job.principal, job)) return;
    job.settle(new Problem("client-gone", "Nobody waits for the answer any more"));
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
    if (run !== undefined) this.#waiting.ran((performance.now() - run.startedAt) / times.items);
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
