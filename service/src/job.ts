import { problemOfIssues } from "./issue.ts";
import type { RunTimes, Task, TaskResult } from "./message.ts";
import { Problem } from "./problem.ts";
import type { Tensors } from "./tensor.ts";

/** The answer to one task: the response as JSON text; raw outputs where they were asked for. */
export type Answer = { json: string; outputs?: Tensors; times: AnswerTimes };

/** Where an answer's time went. Moments are of `performance.now()` in this thread; durations are of the whole run. */
export type AnswerTimes = RunTimes & { queuedAt: number; startedAt: number };

/**
 * `deadlineMs` counts from now and is cut to the pool's own. That counts from `beganAt` (of `performance.now()`) where
 * one request asks several times. `signal` tells that nobody waits any more.
 */
export type Submission = Task & {
  principal: string;
  deadlineMs?: number;
  beganAt?: number;
  signal?: () => AbortSignal;
};

/** A request's deadline, counted from its arrival; `own` when the client asked for a shorter one than the pool's. */
export type Limit = { ms: number; own: boolean };

/** A request on its way through the pool; it is settled once, later calls change nothing. */
export type Job = {
  task: Task;
  principal: string;
  queuedAt: number;
  timer: ReturnType<typeof setTimeout>;
  settle(outcome: Answer | Problem): void;
};

/** The deadline of a request that brought its own, or none. */
export function limitOf(ownMs: number | undefined, longestMs: number): Limit {
  return ownMs !== undefined && ownMs < longestMs ? { ms: ownMs, own: true } : { ms: longestMs, own: false };
}

/** A job and the promise of its answer; `onLate` is called at its deadline. */
export function createJob(task: Task, principal: string, limit: Limit, onLate: (job: Job) => void) {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const job: Job = {
    task,
    principal,
    queuedAt: performance.now(),
    timer: setTimeout(() => onLate(job), limit.ms),
    settle(outcome) {
      clearTimeout(job.timer);
      if (outcome instanceof Problem) reject(outcome);
      else resolve(outcome);
    },
  };
  return { job, promise };
}

/** What a worker's result means for its request. */
export function outcomeOf(result: TaskResult | undefined, times: AnswerTimes): Answer | Problem {
  if (result === undefined) return lost();
  if (result.ok) return { ...result, times };
  if (result.kind === "invalid") return problemOfIssues(result.issues);
  if (result.kind === "refused") {
    return new Problem(result.code, result.message, result.faults === undefined ? {} : { faults: result.faults });
  }
  return new Problem("inference-failed", "The model could not answer this request; the service's log says why", {
    cause: new Error(result.message),
  });
}

/** The answer where a worker ended. */
export function lost(): Problem {
  return new Problem("worker-lost", "Cannot answer: the worker of this request ended; try again", {
    headers: { "retry-after": "1" },
  });
}
