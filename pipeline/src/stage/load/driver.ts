import { setImmediate as breathe, setTimeout as sleep } from "node:timers/promises";
import { arrivals, type Phase } from "./arrival.ts";
import type { LoadRequest } from "./request.ts";
import { send, type Target } from "./send.ts";
import { Tally } from "./tally.ts";

/** What to drive: the targets take turns, each round of turns with the same request. */
export interface Plan {
  targets: Target[];
  requests: LoadRequest[];
  phases: Phase[];
  maxInFlight: number;
  timeoutMs: number;
  /** Where a run that goes on with an earlier one takes up its rounds; 0 otherwise. */
  firstRound?: number;
}

/** This driver's part of a plan that several share: rounds `index`, `index + of`, … from epoch milliseconds `startAt`. */
export interface Share {
  index: number;
  of: number;
  startAt: number;
}

interface Options {
  signal?: AbortSignal;
  share?: Share;
}

/**
 * Drives the plan: an open model, so a slow answer delays no later arrival. Returns one tally per target when every
 * request has ended. `signal` ends the arrivals early.
 */
export async function drive(plan: Plan, { signal, share }: Options = {}): Promise<Tally[]> {
  const run = new Run(plan);
  const began = performance.now() + (share === undefined ? 0 : share.startAt - Date.now());
  const pace = pacer(signal);
  let index = 0;
  for (const arrival of arrivals(plan.phases)) {
    const turn = turnOf(index++, plan.targets.length);
    if (share !== undefined && turn.round % share.of !== share.index) continue;
    turn.round += plan.firstRound ?? 0;
    const intended = began + arrival.atMs;
    await pace(intended);
    if (signal?.aborted) break;
    run.arrive(turn, intended, arrival.counted);
  }
  return await run.end();
}

class Run {
  readonly #plan: Plan;
  readonly #counted: Tally[];
  readonly #warmup: Tally[];
  readonly #inFlight = new Set<Promise<void>>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#counted = plan.targets.map(() => new Tally());
    this.#warmup = plan.targets.map(() => new Tally());
  }

  arrive(turn: Turn, intended: number, counted: boolean): void {
    const { targets, requests, maxInFlight } = this.#plan;
    const tally = (counted ? this.#counted : this.#warmup)[turn.target];
    const target = targets[turn.target];
    const request = requests[turn.round % requests.length];
    if (tally === undefined || target === undefined || request === undefined) {
      throw new Error("Cannot drive load: plan has no target or no request");
    }
    tally.planned++;
    if (this.#inFlight.size >= maxInFlight) {
      tally.dropped++;
      return;
    }
    const flight = this.#fly({ tally, target, request, intended, round: turn.round }).finally(() =>
      this.#inFlight.delete(flight),
    );
    this.#inFlight.add(flight);
  }

  async end(): Promise<Tally[]> {
    await Promise.all(this.#inFlight);
    return this.#counted;
  }

  async #fly({ tally, target, request, intended, round }: Flight): Promise<void> {
    const started = performance.now();
    const error = await send(target, request, this.#plan.timeoutMs);
    const ended = performance.now();
    tally.add({ intended, started, ended }, error);
    if (error === undefined && this.#plan.targets.length > 1) tally.remember(round, ended - started);
  }
}

interface Flight {
  tally: Tally;
  target: Target;
  request: LoadRequest;
  intended: number;
  round: number;
}

/** Which target an arrival goes to, and with which request. */
interface Turn {
  target: number;
  round: number;
}

/** Whose turn the `arrived`-th arrival is: 0 1, 1 0, 0 1 …, so that no target is always first. */
export function turnOf(arrived: number, targets: number): Turn {
  const round = Math.floor(arrived / targets);
  const place = arrived % targets;
  return { round, target: round % 2 === 0 ? place : targets - 1 - place };
}

// Waits until an instant. A driver that is late still lets answers in, or it would measure its own backlog as service time.
function pacer(signal: AbortSignal | undefined): (instant: number) => Promise<void> {
  const longestBurstMs = 2;
  let breathed = performance.now();
  return async (instant) => {
    const now = performance.now();
    if (instant > now) {
      await sleep(instant - now, undefined, signal && { signal }).catch(() => undefined);
    } else if (now - breathed > longestBurstMs) {
      await breathe();
    } else {
      return;
    }
    breathed = performance.now();
  };
}
