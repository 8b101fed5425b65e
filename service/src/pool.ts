import { DeployError } from "../../pipeline/src/spec/error.ts";
import { problemOfIssues } from "./issue.ts";
import { Lane, type LaneEvents, type Refusal } from "./lane.ts";
import type { RunTimes, Task, TaskResult, WorkerStart } from "./message.ts";
import { Problem } from "./problem.ts";
import { FairQueue } from "./queue.ts";
import type { Tensors } from "./tensor.ts";

export type PoolLimits = {
  workers: number;
  /** Requests that may wait. */
  queue: number;
  /** Longest time for one request, waiting and running; a run that takes longer loses its worker. */
  deadlineMs: number;
};

/** What the pool tells about itself, for metrics and logs. */
export type PoolEvents = {
  onRun(times: RunTimes): void;
  /** How long the first request of a run waited. */
  onWait(waitMs: number): void;
  onRestart(reason: "lost" | "hung" | "refused"): void;
};

/** The answer to one task: the response as JSON text; raw outputs where they were asked for. */
export type Answer = { json: string; outputs?: Tensors; times: AnswerTimes };

/** Where an answer's time went. Moments are of `performance.now()` in this thread; durations are of the whole run. */
export type AnswerTimes = RunTimes & { queuedAt: number; startedAt: number };

/** `deadlineMs` counts from now and is cut to the pool's own. */
export type Submission = Task & { principal: string; deadlineMs?: number };

type Run = { jobs: Job[]; startedAt: number; hangs: ReturnType<typeof setTimeout> };

/** A request's deadline, counted from its arrival; `own` when the client asked for a shorter one than the pool's. */
type Limit = { ms: number; own: boolean };

type Job = {
  task: Task;
  principal: string;
  queuedAt: number;
  timer: ReturnType<typeof setTimeout>;
  settle(outcome: Answer | Problem): void;
};

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
  #backoffMs = firstBackoffMs;
  #itemMs = 0; // moving average of the time that one item holds a worker
  #ready = 0;
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
  async submit({ input, wantOutputs, principal, deadlineMs }: Submission): Promise<Answer> {
    if (this.#state === "closed") throw lost();
    if (this.#queue.isFull) throw this.#busy("queue-full", "Cannot take the request: the queue is full");
    const waitMs = this.#expectedWaitMs();
    const limit: Limit = { ms: Math.min(deadlineMs ?? Number.POSITIVE_INFINITY, this.#limits.deadlineMs), own: false };
    if (limit.ms < this.#limits.deadlineMs) limit.own = true;
    if (waitMs > limit.ms) {
      throw this.#late(
        limit,
        "wait-too-long",
        `Cannot take the request: the wait would be about ${Math.ceil(waitMs)} ms`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const job: Job = {
      task: { input, wantOutputs },
      principal,
      queuedAt: performance.now(),
      timer: setTimeout(() => this.#expire(job, limit), limit.ms),
      settle(outcome) {
        clearTimeout(job.timer);
        if (outcome instanceof Problem) reject(outcome);
        else resolve(outcome);
      },
    };
    this.#queue.push(principal, job);
    this.#dispatch();
    return promise;
  }

  #expectedWaitMs(): number {
    const busy = this.#running.size < this.#ready ? 0 : 1;
    return ((this.#queue.size + busy) * this.#itemMs) / Math.max(1, this.#ready);
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

  /** Whose deadline it was bears the fault: a client's own gives a 4xx, so that it counts against no release. */
  #late({ ms, own }: Limit, code: "wait-too-long" | "deadline-exceeded", state: string): Problem {
    const detail = `${state}, the deadline is ${ms} ms`;
    if (own) return new Problem("own-deadline-passed", detail);
    return code === "wait-too-long" ? this.#busy(code, detail) : new Problem(code, detail);
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
    this.#itemMs += ((times.encodeMs + times.runMs + times.decodeMs) / times.items - this.#itemMs) / 16;
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

function outcomeOf(result: TaskResult | undefined, times: AnswerTimes): Answer | Problem {
  if (result === undefined) return lost();
  if (result.ok) return { ...result, times };
  if (result.kind === "invalid") return problemOfIssues(result.issues);
  return new Problem("inference-failed", "The model could not answer this request; the service's log says why", {
    cause: new Error(result.message),
  });
}

function lost(): Problem {
  return new Problem("worker-lost", "Cannot answer: the worker of this request ended; try again", {
    headers: { "retry-after": "1" },
  });
}
