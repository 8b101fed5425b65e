/** Where the router sends the requests of one revision. Times are of `performance.now()`. */
export type Upstream = {
  readonly id: string;
  /** `http://127.0.0.1:port`, or undefined while there is no process that is ready. */
  base: string | undefined;
  /** How many processes have been behind it. */
  generation: number;
  /** Whether it answers its health checks. */
  healthy: boolean;
  /** Errors since the last good answer, and until when it is left alone because of them. */
  errorsInRow: number;
  ejections: number;
  ejectedUntil: number;
  /** Requests under way, and who waits for the last of them. */
  inFlight: number;
  onIdle: (() => void) | undefined;
};

export function newUpstream(id: string): Upstream {
  const health = { healthy: true, errorsInRow: 0, ejections: 0, ejectedUntil: 0 };
  return { id, base: undefined, generation: 0, ...health, inFlight: 0, onIdle: undefined };
}

/** Puts a process that is ready behind the upstream; what was held against the one before is forgotten. */
export function connectUpstream(upstream: Upstream, base: string): void {
  const generation = upstream.generation + 1;
  Object.assign(upstream, { base, generation, healthy: true, errorsInRow: 0, ejections: 0, ejectedUntil: 0 });
}

export function takesRequests(upstream: Upstream): boolean {
  return upstream.base !== undefined && upstream.healthy && upstream.ejectedUntil <= performance.now();
}

export function enter(upstream: Upstream): void {
  upstream.inFlight += 1;
}

export function leave(upstream: Upstream): void {
  upstream.inFlight -= 1;
  if (upstream.inFlight === 0) upstream.onIdle?.();
}

/** Resolves when nothing is under way, or after `seconds`; tells which. */
export async function idle(upstream: Upstream, seconds: number): Promise<boolean> {
  if (upstream.inFlight === 0) return true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wasIdle = await new Promise<boolean>((resolve) => {
    upstream.onIdle = () => resolve(true);
    timer = setTimeout(() => resolve(false), seconds * 1_000);
  });
  clearTimeout(timer);
  upstream.onIdle = undefined;
  return wasIdle;
}
