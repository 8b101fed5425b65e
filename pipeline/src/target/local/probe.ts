import type { Upstream } from "./upstream.ts";

/** How a revision is asked for its health. */
export type ProbeOptions = { everyMs: number; timeoutMs: number; failuresToRest: number; failuresToKill: number };

const probeDefaults: ProbeOptions = { everyMs: 2_000, timeoutMs: 2_000, failuresToRest: 3, failuresToKill: 15 };

/**
 * Active health: asks `/readyz` again and again. A revision that fails a few times rests until it answers well;
 * one that goes on failing hangs, and `onHung` is called. Returns the way to end it.
 */
export function startProbe(upstream: Upstream, onHung: () => void, options: ProbeOptions = probeDefaults): () => void {
  const { base } = upstream;
  let failures = 0;
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const probe = async () => {
    const well = await isWell(`${base}/readyz`, options.timeoutMs);
    if (ended) return;
    failures = well ? 0 : failures + 1;
    upstream.healthy = failures < options.failuresToRest;
    if (failures >= options.failuresToKill) return onHung();
    next();
  };
  const next = () => {
    timer = setTimeout(() => void probe(), options.everyMs);
  };
  next();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Whether `url` answers with a 2xx in time. */
async function isWell(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
