/** Where the router sends the requests of one revision. */
export type Upstream = {
  readonly id: string;
  /** `http://127.0.0.1:port`, or undefined while the revision cannot take requests. */
  base: string | undefined;
  /** Requests under way. */
  inFlight: number;
  /** Called when the last request under way has ended. */
  onIdle: (() => void) | undefined;
};

export function newUpstream(id: string): Upstream {
  return { id, base: undefined, inFlight: 0, onIdle: undefined };
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
