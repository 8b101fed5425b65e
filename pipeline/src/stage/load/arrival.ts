/** A stretch of arrivals whose rate goes in a straight line; `counted` is false for a warm-up. */
export interface Phase {
  seconds: number;
  fromPerSecond: number;
  toPerSecond: number;
  counted: boolean;
}

/** One intended start, in milliseconds since the run began. */
export interface Arrival {
  atMs: number;
  counted: boolean;
}

/** Arrivals at a constant rate, for ever when `seconds` is Infinity. */
export function constant(ratePerSecond: number, seconds: number, counted = true): Phase {
  return { seconds, fromPerSecond: ratePerSecond, toPerSecond: ratePerSecond, counted };
}

/** Every intended start of the phases, in order. */
export function* arrivals(phases: readonly Phase[]): Generator<Arrival, void> {
  let beginMs = 0;
  for (const phase of phases) {
    for (let count = 0; ; count++) {
      const at = secondsUntil(count, phase);
      if (!(at < phase.seconds)) break;
      yield { atMs: beginMs + at * 1000, counted: phase.counted };
    }
    beginMs += phase.seconds * 1000;
  }
}

// Solves from*t + (to-from)*t^2/(2*seconds) = count for t.
function secondsUntil(count: number, { seconds, fromPerSecond: from, toPerSecond: to }: Phase): number {
  if (from === to || !Number.isFinite(seconds)) return count / from;
  const slope = (to - from) / seconds;
  const discriminant = from * from + 2 * slope * count;
  return discriminant < 0 ? Number.POSITIVE_INFINITY : (Math.sqrt(discriminant) - from) / slope;
}
