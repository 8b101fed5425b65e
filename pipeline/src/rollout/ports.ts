import type { Command, Entry, Event } from "../spec/journal.ts";
import type { Lease } from "../spec/lease.ts";
import type { Samples, Weights } from "../spec/sample.ts";
import type { Revision, StartRevision } from "../spec/site.ts";

/** Splits traffic over revisions and counts what comes back. Every implementation passes `test/conformance/router.ts`. */
export interface Router {
  /** Percent by revision id; empty while the target serves nothing. */
  readWeights(): Promise<Weights | Record<string, never>>;
  /** Replaces all weights at once; a revision that is unknown or not ready is refused, and nothing changes. */
  writeWeights(weights: Weights): Promise<void>;
  /** Cumulative samples by revision id, since the revision first had weight. */
  readSamples(): Promise<Samples>;
}

/** Runs revisions. Every implementation passes `test/conformance/runtime.ts`. */
export interface Runtime {
  list(): Promise<Revision[]>;
  /** Starts revision `id`, or finds it running; returns when it is ready, throws `E_STATE` when it never becomes so. */
  start(id: string, wanted: StartRevision): Promise<Revision>;
  /** Takes no new requests, finishes those under way within `drainSeconds`, ends it. Refused while it has weight. Unknown: done already. */
  stop(id: string, options: { drainSeconds: number }): Promise<void>;
  /** The address of one revision, past the router: for golden replay. */
  addressOf(id: string): Promise<string>;
  /** The revision that everything falls back to. */
  readStable(): Promise<string | undefined>;
  writeStable(id: string): Promise<void>;
}

/** Remembers. Every implementation passes `test/conformance/store.ts`. */
export interface Store {
  /** Takes the lease, or throws `E_LEASE` naming the holder; a stale lease is taken over with a larger fence. */
  acquire(holder: string): Promise<Lease>;
  /** Extends the lease, or throws `E_LEASE` when somebody took it over. */
  renew(lease: Lease): Promise<Lease>;
  release(lease: Lease): Promise<void>;
  readLease(): Promise<Lease | undefined>;

  /** Rollout ids, oldest first. */
  listRollouts(): Promise<string[]>;
  /** The whole journal, its hash chain checked; a torn last line is dropped. */
  readJournal(rollout: string): Promise<Entry[]>;
  /** Appends durably, or throws `E_LEASE` when `lease` is no longer the newest. */
  append(rollout: string, lease: Lease, event: Event): Promise<Entry>;

  /** Leaves a command for whoever holds the lease. */
  pushCommand(command: Command): Promise<void>;
  /** Commands not yet taken, oldest first; `taken` forgets one after it was journaled. */
  readCommands(): Promise<{ id: string; command: Command }[]>;
  forgetCommand(id: string): Promise<void>;
}

/** Time as a parameter: milliseconds since the epoch, and a wait that tests cut short. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}
