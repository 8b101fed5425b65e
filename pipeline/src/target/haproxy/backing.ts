import type { Router, Runtime } from "../../rollout/ports.ts";

/** Where a revision listens. */
export type Endpoint = { id: string; host: string; port: number };

/**
 * What HAProxy stands before: it starts and watches the revisions, and keeps weights, stable and the fence. HAProxy
 * counts.
 */
export type Backing = Runtime &
  Omit<Router, "readSamples"> & {
    /** Of every revision, ready or not. */
    endpoints: () => Promise<Endpoint[]>;
  };
