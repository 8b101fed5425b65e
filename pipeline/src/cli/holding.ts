import { userInfo } from "node:os";
import { holderName, leaseMs } from "../rollout/lease.ts";
import type { Store } from "../rollout/ports.ts";
import type { Lease } from "../spec/lease.ts";

/** A held lease. `lost` is aborted when somebody took it over: whoever works under it must stop. */
export interface Holding {
  lease: Lease;
  lost: AbortSignal;
}

/** Runs `work` while holding the environment's lease, renewed by a heartbeat and given back at the end. */
export async function holding<T>(store: Store, work: (held: Holding) => Promise<T>): Promise<T> {
  const lease = await store.acquire(holderName(userInfo().username));
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    store.renew(lease).catch((error: unknown) => lost.abort(error));
  }, leaseMs / 3);
  try {
    return await work({ lease, lost: lost.signal });
  } finally {
    clearInterval(heartbeat);
    await store.release(lease);
  }
}
