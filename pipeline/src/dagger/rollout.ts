import { type File, func, object } from "@dagger.io/dagger";
import type { Ending } from "../spec/ending.ts";

/** How far a rollout came. */
export enum Status {
  /** The candidate has all traffic. */
  Promoted = "promoted",
  /** The candidate was taken back; stable has all traffic. */
  Aborted = "aborted",
  /** It waits for somebody. */
  Paused = "paused",
  /** It was cut short: the same call goes on from its journal. */
  Open = "open",
}

const statuses = {
  promoted: Status.Promoted,
  aborted: Status.Aborted,
  paused: Status.Paused,
  open: Status.Open,
} as const;

/** A canary: how it ended, and why. */
@object()
export class Rollout {
  /** name@version of the candidate. */
  @func()
  candidate = "";

  /** name@version of what it was compared with. */
  @func()
  stable = "";

  /** How far it came. */
  @func()
  status: Status = Status.Open;

  /** Why it ended so. */
  @func()
  reason = "";

  /** A line for each step that was judged. */
  @func()
  steps: string[] = [];

  /** How long it took. */
  @func()
  seconds = 0;

  /** All of it as one HTML page. */
  @func()
  page: File;

  constructor(page: File) {
    this.page = page;
  }
}

/** A rollout as an object that a caller can go on from. */
export function toRollout({ candidate, stable, status, reason, steps, seconds }: Ending, page: File): Rollout {
  return Object.assign(new Rollout(page), {
    ...{ candidate, stable, reason, steps },
    seconds: Math.round(seconds), // the engine's numbers are integers
    status: statuses[status],
  });
}

/** What happened, a line for each step; throws unless the candidate was promoted. */
export function demandPromoted(rollout: Rollout, what: string): string {
  const { candidate, status, reason, steps } = rollout;
  const words = [...steps, `${what} ${status}: ${reason}`].join("\n");
  if (status === Status.Promoted) return words;
  throw new Error(`Cannot deploy ${candidate}: its ${what} was ${status}\n${words}`);
}
